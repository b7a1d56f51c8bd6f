/** The container images of the local stack, pinned; docker-compose.kafka.yml names the same ones (a test compares). */
export const IMAGES = {
  kafka: 'apache/kafka:4.2.2',
  registry: 'apicurio/apicurio-registry-mem:2.6.13.Final',
  mongo: 'mongo:8.0.9',
  redis: 'redis:7.4.2',
} as const;

/** Where each image keeps what must outlive the container. */
export const DATA_PATHS = {
  kafka: '/var/lib/kafka/data',
  registry: '/var/lib/registry',
  mongo: '/data/db',
  redis: '/data',
} as const;

/** The port of each server inside its container. */
export const INNER_PORTS = { kafka: 9092, proxied: 9096, registry: 8080, mongo: 27017, redis: 6379 } as const;
