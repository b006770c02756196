import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** What an operator asks of a cluster. Prints what the cluster said; judges nothing. */
final class Administer {
    private final Job job;
    private final Report report;

    Administer(Job job, Report report) {
        this.job = job;
        this.report = report;
    }

    /** Makes the topics of other jobs, and share groups read from the beginning. */
    void prepare() throws Exception {
        try (Admin admin = Admin.create(job.connection())) {
            short replicas = (short) job.number("replicas");
            admin.createTopics(job.list("topics").stream()
                    .map(name -> new NewTopic(name, job.number("partitions"), replicas)).toList()).all().get();
            var earliest = List.of(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET));
            Map<ConfigResource, Collection<AlterConfigOp>> groups = new HashMap<>();
            job.list("shareGroups").forEach(group -> groups.put(new ConfigResource(ConfigResource.Type.GROUP, group), earliest));
            if (!groups.isEmpty()) admin.incrementalAlterConfigs(groups).all().get();
        }
    }

    void run() throws Exception {
        try (Admin admin = Admin.create(job.connection())) {
            cluster(admin);
            topic(admin);
            group(admin);
            admin.deleteTopics(List.of(job.topic())).all().get();
            report.fact("deleted", !admin.listTopics().names().get().contains(job.topic()));
        }
        report.flush();
    }

    private void cluster(Admin admin) throws Exception {
        var cluster = admin.describeCluster();
        report.fact("nodes", nodes(cluster.nodes().get()));
        report.fact("controller", cluster.controller().get().id());
        var quorum = admin.describeMetadataQuorum().quorumInfo().get();
        report.fact("voters", quorum.voters().stream().map(voter -> voter.replicaId()).sorted().toList());
        report.fact("quorumEndpoints", quorum.nodes().values().stream()
                .flatMap(node -> node.endpoints().stream()).map(Object::toString).toList());
        for (Node node : cluster.nodes().get()) {
            report.fact("brokerConfig", config(admin, ConfigResource.Type.BROKER, node.idString()));
        }
        report.fact("logDirs", admin.describeLogDirs(cluster.nodes().get().stream().map(Node::id).toList())
                .allDescriptions().get().keySet().stream().sorted().toList());
        report.fact("features", admin.describeFeatures().featureMetadata().get().finalizedFeatures().keySet().stream().sorted().toList());
    }

    private void topic(Admin admin) throws Exception {
        String topic = job.topic();
        admin.createTopics(List.of(new NewTopic(topic, 4, (short) 3).configs(Map.of("retention.ms", "86400001")))).all().get();
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(6))).all().get();
        report.fact("listed", admin.listTopics().names().get().contains(topic));
        var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        for (int tries = 0; description.partitions().size() < 6 && tries < 50; tries++) {
            Thread.sleep(100);
            description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        }
        report.fact("partitions", description.partitions().stream().map(partition -> Map.of(
                "id", partition.partition(),
                "leader", List.of(partition.leader().id(), partition.leader().host(), partition.leader().port()),
                "replicas", partition.replicas().stream().map(Node::id).sorted().toList())).toList());
        report.fact("describedById", admin.describeTopics(org.apache.kafka.common.TopicCollection.ofTopicIds(Set.of(description.topicId())))
                .allTopicIds().get().values().stream().map(each -> each.name()).toList());
        report.fact("topicConfig", config(admin, ConfigResource.Type.TOPIC, topic).get("retention.ms"));
        new Produce(job, report).run();
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (int i = 0; i < 6; i++) ends.put(new TopicPartition(topic, i), OffsetSpec.latest());
        report.fact("offsets", admin.listOffsets(ends).all().get().values().stream().mapToLong(end -> end.offset()).sum());
    }

    private void group(Admin admin) throws Exception {
        String group = job.text("group");
        new Consume(job, report).run();
        report.fact("groupListed", admin.listGroups().all().get().stream().anyMatch(each -> each.groupId().equals(group)));
        var description = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        report.fact("group", Map.of("state", description.groupState().toString(), "coordinator", nodes(List.of(description.coordinator()))));
        report.fact("committed", committed(admin, group));
        admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(job.topic(), 0), new OffsetAndMetadata(1))).all().get();
        admin.deleteConsumerGroups(List.of(group)).all().get();
        report.fact("groupDeleted", admin.listGroups().all().get().stream().noneMatch(each -> each.groupId().equals(group)));
    }

    private long committed(Admin admin, String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values().stream()
                .mapToLong(OffsetAndMetadata::offset).sum();
    }

    private Map<String, String> config(Admin admin, ConfigResource.Type type, String name) throws Exception {
        var resource = new ConfigResource(type, name);
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream()
                .filter(entry -> entry.value() != null)
                .collect(Collectors.toMap(ConfigEntry::name, ConfigEntry::value));
    }

    private static List<Object> nodes(Collection<Node> nodes) {
        List<Object> list = new ArrayList<>();
        nodes.stream().sorted((a, b) -> a.id() - b.id()).forEach(node -> list.add(List.of(node.id(), node.host(), node.port())));
        return list;
    }
}
