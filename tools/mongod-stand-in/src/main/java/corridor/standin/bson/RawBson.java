package corridor.standin.bson;

/** A document that goes into an answer as it is stored, without being read. */
public record RawBson(byte[] bytes) {
}
