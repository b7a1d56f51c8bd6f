package de.bwaldvogel.mongo.backend.aggregation;

import de.bwaldvogel.mongo.bson.Document;

/** Opens the library's evaluation of one expression. Nothing else lives in this package. */
public final class ExpressionDoor {

    private ExpressionDoor() {
    }

    /** Evaluates a field path, a variable or an operator. Arrays and plain documents come back as they are. */
    public static Object evaluate(Object expression, Document document) {
        return Expression.evaluate(expression, document);
    }
}
