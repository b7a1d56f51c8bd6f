package de.bwaldvogel.mongo.backend;

import de.bwaldvogel.mongo.bson.Document;

/** Opens the few package-private parts of mongo-java-server that the stand-in builds on. Nothing else lives in this package. */
public final class Doors {

    private Doors() {
    }

    /** Applies one update operator, such as {@code $set}, to the document in place. */
    public static void applyOperator(Document document, String operator, Document change, String idField,
                                     boolean upsert, Integer matchPosition, ArrayFilters arrayFilters) {
        new FieldUpdates(document, UpdateOperator.fromValue(operator), idField, upsert, matchPosition, arrayFilters)
            .apply(change, operator);
    }

    /** Refuses updates of which two operators touch the same path. */
    public static void refuseConflictingPaths(Document update) {
        AbstractMongoCollection.validateUpdateQuery(update);
    }

    public static void validateFieldNames(Document document) {
        Utils.validateFieldNames(document);
    }

    public static ArrayFilters arrayFilters(Document statement, Document update) {
        return ArrayFilters.parse(statement, update);
    }

    /** The document that an upsert starts from: the equality conditions of its selector. */
    public static Document documentOfSelector(AbstractMongoCollection<?> collection, Document selector) {
        return collection.convertSelectorToDocument(selector);
    }

    public static Object idOfSelector(AbstractMongoCollection<?> collection, Document selector) {
        return collection.deriveDocumentId(selector);
    }

    public static Document project(Document projection, String idField, Document document) {
        return new Projection(projection, idField).projectDocument(document);
    }

    /** Equality as MongoDB sees it: 1 equals 1.0, a missing value equals null. */
    public static boolean sameValue(Object a, Object b) {
        return Utils.nullAwareEquals(a, b);
    }
}
