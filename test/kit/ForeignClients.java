// Another vendor's client, for tests: writes records by a codec, or reads a topic. Run from its source, with kafka-clients.
//   produce BROKERS TOPIC CODEC < lines of "partition key value", key and value in base64
//   consume BROKERS TOPIC "partition:from:to ..." > the same lines
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class ForeignClients {
  public static void main(String[] args) throws Exception {
    if (args[0].equals("produce")) produce(args[1], args[2], args[3]);
    else consume(args[1], args[2], args[3]);
  }

  static void produce(String brokers, String topic, String codec) throws Exception {
    Map<String, Object> config = Map.of(
        "bootstrap.servers", brokers, "compression.type", codec, "acks", "all",
        // All of a partition in one batch, as far as the broker takes it.
        "linger.ms", 2_000, "batch.size", 900_000);
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    var serializer = new ByteArraySerializer();
    try (var producer = new KafkaProducer<>(config, serializer, serializer);
        var lines = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line; (line = lines.readLine()) != null; ) {
        String[] parts = line.split(" ");
        byte[] key = Base64.getDecoder().decode(parts[1]);
        byte[] value = Base64.getDecoder().decode(parts[2]);
        sent.add(producer.send(new ProducerRecord<>(topic, Integer.valueOf(parts[0]), key, value)));
      }
      producer.flush();
      for (var each : sent) each.get();
    }
  }

  static void consume(String brokers, String topic, String ranges) {
    Map<String, Object> config = Map.of(
        "bootstrap.servers", brokers, "isolation.level", "read_committed", "enable.auto.commit", false,
        "auto.offset.reset", "none", "check.crcs", true);
    var deserializer = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(config, deserializer, deserializer)) {
      Map<TopicPartition, Long> ends = new HashMap<>();
      Map<TopicPartition, Long> starts = new HashMap<>();
      for (String range : ranges.split(" ")) {
        String[] parts = range.split(":");
        var partition = new TopicPartition(topic, Integer.parseInt(parts[0]));
        starts.put(partition, Long.valueOf(parts[1]));
        ends.put(partition, Long.valueOf(parts[2]));
      }
      consumer.assign(ends.keySet());
      starts.forEach(consumer::seek);
      var encoder = Base64.getEncoder();
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          if (record.offset() >= ends.get(new TopicPartition(topic, record.partition()))) continue;
          String key = encoder.encodeToString(record.key());
          System.out.println(record.partition() + " " + key + " " + encoder.encodeToString(record.value()));
        }
      }
    }
  }
}
