package corridor;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Copies a topic with Kafka Streams, exactly once (version 2): brokers, name, input, output, records, partitions, threads,
 * batch, commit interval. It does so twice in one process, to another topic each time, and tells of the second: the first
 * lets the virtual machine compile what is hot.
 */
public final class StreamsCopy {
  private record Task(
      String brokers, String name, String input, String output, long records, int partitions, int threads, int batch,
      int commitMs) {}

  private record Measured(double elapsedMs, double cpuMs) {}

  public static void main(String[] args) throws Exception {
    Task task = new Task(args[0], args[1], args[2], args[3], Long.parseLong(args[4]), Integer.parseInt(args[5]),
        Integer.parseInt(args[6]), Integer.parseInt(args[7]), Integer.parseInt(args[8]));
    copy(task, "warm");
    Measured measured = copy(task, "measured");
    System.out.printf("{\"elapsedMs\":%.1f,\"cpuMs\":%.1f}%n", measured.elapsedMs, measured.cpuMs);
  }

  /** Copies the whole input to the topic that is named after the pass. */
  private static Measured copy(Task task, String pass) throws Exception {
    String application = task.name + "-" + pass;
    Path state = Files.createTempDirectory("streams-copy");
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, task.brokers);
    config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, task.commitMs);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, task.threads);
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), task.batch);
    // Large requests, as ours are: the defaults (16 KiB) are made for many small producers.
    config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 262_144);
    config.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
    config.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");

    AtomicLong startedAt = new AtomicLong();
    AtomicLong cpuAtStart = new AtomicLong();
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(task.input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .mapValues(value -> {
          if (startedAt.compareAndSet(0, System.nanoTime())) cpuAtStart.set(cpuNanos());
          return value;
        })
        .to(task.output + "." + pass, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));

    try (Admin admin = Admin.create(Map.of("bootstrap.servers", task.brokers));
        KafkaStreams streams = new KafkaStreams(builder.build(), config)) {
      streams.start();
      long ends = inputEnds(admin, task);
      // Offsets count once their transaction is committed.
      while (committed(admin, application) < ends) Thread.sleep(25);
      double elapsedMs = (System.nanoTime() - startedAt.get()) / 1e6;
      double cpuMs = (cpuNanos() - cpuAtStart.get()) / 1e6;
      streams.close(Duration.ofSeconds(30));
      return new Measured(elapsedMs, cpuMs);
    } finally {
      try (var files = Files.walk(state)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
  }

  private static long inputEnds(Admin admin, Task task) throws Exception {
    List<TopicPartition> partitions =
        IntStream.range(0, task.partitions).mapToObj(p -> new TopicPartition(task.input, p)).toList();
    var asked = partitions.stream().collect(
        Collectors.toMap(p -> p, p -> org.apache.kafka.clients.admin.OffsetSpec.latest()));
    return admin.listOffsets(asked).all().get().values().stream().mapToLong(end -> end.offset()).sum();
  }

  private static long committed(Admin admin, String group) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets;
    try {
      offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    } catch (java.util.concurrent.ExecutionException notYet) {
      return 0;
    }
    return offsets.values().stream().filter(java.util.Objects::nonNull).mapToLong(OffsetAndMetadata::offset).sum();
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }
}
