package corridor.standin.index;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import de.bwaldvogel.mongo.bson.Document;

/** The values that a document has at a path, as an index sees them: one for each element when there is an array on the way. */
final class FieldValues {

    final List<Object> values = new ArrayList<>(1);
    /** Whether the path exists in the document. A path that does not has the one value null. */
    boolean present;
    /** Whether there was an array at the path or on the way to it. */
    boolean multiple;

    static FieldValues of(Document document, String[] path) {
        FieldValues found = new FieldValues();
        found.collect(document, path, 0);
        return found;
    }

    private void collect(Object value, String[] path, int depth) {
        if (depth == path.length) {
            present = true;
            if (value instanceof Collection<?> array) {
                elements(array);
            } else {
                values.add(value);
            }
            return;
        }
        if (value instanceof Document document) {
            if (!document.containsKey(path[depth])) {
                values.add(null);
                return;
            }
            collect(document.get(path[depth]), path, depth + 1);
            return;
        }
        if (value instanceof List<?> array) {
            intoArray(array, path, depth);
            return;
        }
        values.add(null);
    }

    private void elements(Collection<?> array) {
        multiple = true;
        if (array.isEmpty()) {
            values.add(KeyCodec.EMPTY_ARRAY);
        }
        values.addAll(array);
    }

    private void intoArray(List<?> array, String[] path, int depth) {
        multiple = true;
        if (isPosition(path[depth])) {
            int position = Integer.parseInt(path[depth]);
            if (position < array.size()) {
                collect(array.get(position), path, depth + 1);
            } else {
                values.add(null);
            }
        }
        if (array.isEmpty()) {
            values.add(KeyCodec.EMPTY_ARRAY);
        }
        for (Object element : array) {
            if (element instanceof Document) {
                collect(element, path, depth);
            } else {
                values.add(null);
            }
        }
    }

    private static boolean isPosition(String name) {
        return name.length() < 9 && !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
