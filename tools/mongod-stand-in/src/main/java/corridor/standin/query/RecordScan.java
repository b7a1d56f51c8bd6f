package corridor.standin.query;

/** Yields the record ids to look at, one after the other. It can stop between two and go on later, when others have written. */
public interface RecordScan {

    /** There are no more. */
    long END = -1;

    /** The next record id, or {@link #END}. */
    long next();

    /** Lets go of what the scan holds on to while it stands still. */
    default void pause() {
    }

    /** A scan over ids that are known already. */
    static RecordScan of(long[] records) {
        return new RecordScan() {
            private int position;

            @Override
            public long next() {
                return position == records.length ? END : records[position++];
            }
        };
    }
}
