import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Does what it is told line by line, each step with clients of its own, as described in ../README.md. */
final class Steps {
    static final Duration POLL = Duration.ofMillis(50);
    static final Duration CLOSE = Duration.ofSeconds(3);
    /** After an error, as whoever logs it would take. */
    private static final long BREATH_MS = 100;
    private static final String PATIENCE_MS = "8000";
    private final Report report;

    Steps(Report report) {
        this.report = report;
    }

    void run(BufferedReader input) throws Exception {
        var connection = (ObjectNode) new ObjectMapper().readTree(input.readLine());
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            Job step = Job.step(connection, line);
            Answer answer = new Answer();
            try {
                take(step, answer);
            } catch (KafkaException | ExecutionException e) {
                answer.failed(e, step.text("do"));
            }
            report.line(Map.of("step", answer.toMap()));
            report.flush();
        }
    }

    private void take(Job step, Answer answer) throws ExecutionException, InterruptedException {
        switch (step.text("do")) {
            case "produce" -> produce(step, answer);
            case "consume" -> consume(step, answer);
            case "stream" -> stream(step);
            case "transact" -> transact(step, answer);
            case "pipeline" -> new Pipeline(step, answer).run();
            default -> administer(step);
        }
    }

    /** Waits long enough to have the records of all topics on their way together. */
    private void produce(Job step, Answer answer) {
        var producer = producer(step, Map.of("linger.ms", "500"));
        try {
            for (int i = 0; i < step.records(); i++) {
                for (String topic : step.list("topics")) {
                    producer.send(new ProducerRecord<>(topic, Job.utf8(step.text("value") + i)), (metadata, failure) -> {
                        if (failure == null) answer.stored(topic);
                        else answer.failed(failure, topic);
                    });
                }
            }
            producer.flush();
        } finally {
            producer.close(CLOSE);
        }
    }

    private void transact(Job step, Answer answer) {
        var producer = producer(step, Map.of("transactional.id", step.text("transactionalId")));
        String calling = "initTransactions";
        try {
            producer.initTransactions();
            calling = "commitTransaction";
            producer.beginTransaction();
            for (String topic : step.list("topics")) producer.send(new ProducerRecord<>(topic, Job.utf8("in a transaction")));
            producer.commitTransaction();
            step.list("topics").forEach(answer::stored);
        } catch (KafkaException e) {
            answer.failed(e, calling);
            if (calling.equals("commitTransaction")) producer.abortTransaction();
        } finally {
            producer.close(CLOSE);
        }
    }

    /** Goes on for a while after it has seen what it waits for: does the library calm down? */
    private void consume(Job step, Answer answer) throws InterruptedException {
        var consumer = consumer(step, Map.of());
        try {
            consumer.subscribe(step.list("topics"));
            long end = System.currentTimeMillis() + step.number("forMs");
            for (boolean complete = false; System.currentTimeMillis() < end; ) {
                try {
                    consumer.poll(POLL).forEach(record -> answer.read(record.topic()));
                } catch (KafkaException e) {
                    answer.failed(e, "poll");
                    Thread.sleep(BREATH_MS);
                }
                if (!complete && answer.reads() >= step.number("records") && answer.errors() >= step.number("errors")) {
                    complete = true;
                    end = Math.min(end, System.currentTimeMillis() + step.number("thenMs"));
                }
            }
        } finally {
            consumer.close(CloseOptions.timeout(CLOSE));
        }
    }

    /** Until the program ends; says what happens as it happens. */
    private void stream(Job step) throws InterruptedException {
        var consumer = consumer(step, Map.of());
        var listener = new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                say("assigned", partitions);
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                say("revoked", partitions);
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                say("lost", partitions);
            }
        };
        if (step.text("pattern").isEmpty()) consumer.subscribe(step.list("topics"), listener);
        else if (step.text("protocol").equals("consumer")) consumer.subscribe(new SubscriptionPattern(step.text("pattern")), listener);
        else consumer.subscribe(Pattern.compile(step.text("pattern")), listener);
        for (int generation = -2; ; ) {
            try {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    report.line(Map.of("read", record.topic(), "value", new String(record.value())));
                }
            } catch (KafkaException e) {
                Answer error = new Answer();
                error.failed(e, "poll");
                Thread.sleep(BREATH_MS);
                report.line(Map.of("failed", error.toMap().get("errors")));
            }
            int now = consumer.groupMetadata().generationId();
            if (now != generation) report.line(Map.of("generation", now));
            generation = now;
            report.flush();
        }
    }

    private void say(String what, Collection<TopicPartition> partitions) {
        report.line(Map.of(what, partitions.stream().map(TopicPartition::topic).sorted().toList()));
    }

    private void administer(Job step) throws ExecutionException, InterruptedException {
        String name = step.text("name");
        Admin admin = Admin.create(patient(step));
        try {
            switch (step.text("do")) {
                case "createTopic" -> admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get();
                case "deleteTopic" -> admin.deleteTopics(List.of(name)).all().get();
                case "describeGroup" -> admin.describeConsumerGroups(List.of(name)).all().get();
                case "deleteGroup" -> admin.deleteConsumerGroups(List.of(name)).all().get();
                case "describeTransaction" -> admin.describeTransactions(List.of(name)).all().get();
                case "configureTopic" -> admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, name),
                        List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "86400001"), AlterConfigOp.OpType.SET)))).all().get();
                default -> throw new IllegalArgumentException(step.text("do"));
            }
        } finally {
            admin.close(CLOSE);
        }
    }

    static KafkaProducer<byte[], byte[]> producer(Job step, Map<String, String> more) {
        Properties properties = patient(step);
        properties.put("max.block.ms", PATIENCE_MS);
        properties.put("delivery.timeout.ms", PATIENCE_MS);
        properties.putAll(more);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Job step, Map<String, String> more) {
        Properties properties = patient(step);
        String protocol = step.text("protocol").isEmpty() ? "classic" : step.text("protocol");
        properties.put("group.protocol", protocol);
        if (protocol.equals("classic")) properties.put("heartbeat.interval.ms", "300");
        properties.put("group.id", step.text("group"));
        properties.put("auto.offset.reset", "earliest");
        properties.put("isolation.level", "read_committed");
        properties.putAll(more);
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Whatever takes longer is a hang. */
    private static Properties patient(Job step) {
        Properties properties = step.connection();
        properties.put("request.timeout.ms", "5000");
        properties.put("default.api.timeout.ms", PATIENCE_MS);
        return properties;
    }
}
