import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class Consume {
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int MEMBERS = 2;
    private final Job job;
    private final Report report;

    Consume(Job job, Report report) {
        this.job = job;
        this.report = report;
    }

    void run() {
        if (job.text("consumer").equals("share")) share();
        else group();
        report.flush();
    }

    /** Two members, so that the group has to share the partitions out. */
    private void group() {
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        try {
            for (int i = 0; i < MEMBERS; i++) {
                var member = new KafkaConsumer<>(properties(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
                members.add(member);
                member.subscribe(List.of(job.topic()));
            }
            if (job.text("producer").equals("transactional")) inTransactions(members);
            else {
                readAll(() -> members.stream().map(member -> member.poll(POLL)).toList());
                members.forEach(KafkaConsumer::commitSync);
            }
            report.fact("assigned", members.stream().map(member -> member.assignment().size()).toList());
        } finally {
            members.forEach(KafkaConsumer::close);
        }
    }

    private void share() {
        try (var consumer = new KafkaShareConsumer<>(properties(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(job.topic()));
            readAll(() -> List.of(consumer.poll(POLL)));
            consumer.commitSync();
        }
    }

    private void readAll(Supplier<List<ConsumerRecords<byte[], byte[]>>> poll) {
        Set<Integer> seen = new HashSet<>();
        long lastNews = System.currentTimeMillis();
        while (System.currentTimeMillis() - lastNews < (seen.size() < job.records() ? 60_000 : 1_000)) {
            for (var records : poll.get()) {
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    report.read(record);
                    var number = record.headers().lastHeader("n");
                    if (number != null) seen.add(Integer.parseInt(new String(number.value())));
                    lastNews = System.currentTimeMillis();
                }
            }
        }
    }

    /** What is read is committed as part of a transaction before the next poll can give partitions away. */
    private void inTransactions(List<KafkaConsumer<byte[], byte[]>> members) {
        Properties properties = job.connection();
        properties.put("transactional.id", "tx-offsets-" + job.topic());
        Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
        try (var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            readAll(() -> members.stream().map(member -> {
                var records = member.poll(POLL);
                if (!records.nextOffsets().isEmpty()) {
                    producer.beginTransaction();
                    producer.sendOffsetsToTransaction(records.nextOffsets(), member.groupMetadata());
                    producer.commitTransaction();
                    committed.putAll(records.nextOffsets());
                }
                return records;
            }).toList());
        }
        report.fact("committedInTransaction", members.get(0).committed(committed.keySet()).equals(committed));
    }

    private Properties properties() {
        Properties properties = job.connection();
        properties.put("group.id", job.text("group"));
        String kind = job.text("consumer");
        if (kind.equals("share")) return properties;
        properties.put("group.protocol", kind);
        if (kind.equals("classic")) properties.put("heartbeat.interval.ms", "300");
        properties.put("auto.offset.reset", "earliest");
        properties.put("isolation.level", "read_committed");
        if (job.text("producer").equals("transactional")) properties.put("enable.auto.commit", "false");
        return properties;
    }
}
