import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;

/** Asks for the topics' names once for each case, all at the same time, and says what the application was told. */
final class Refused {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        JsonNode cases = JSON.readTree(System.in).path("cases");
        var pool = Executors.newFixedThreadPool(cases.size());
        List<Future<?>> running = new ArrayList<>();
        for (JsonNode each : cases)
            running.add(pool.submit(() -> report(each.path("name").asText(), told(each.path("properties")))));
        for (Future<?> each : running) each.get();
        pool.shutdown();
    }

    private static List<String> told(JsonNode given) {
        Properties properties = new Properties();
        given.properties().forEach(entry -> properties.put(entry.getKey(), entry.getValue().asText()));
        try (Admin admin = Admin.create(properties)) {
            admin.listTopics().names().get();
            return List.of();
        } catch (ExecutionException e) {
            return chain(e.getCause());
        } catch (Exception e) {
            return chain(e);
        }
    }

    private static List<String> chain(Throwable from) {
        List<String> texts = new ArrayList<>();
        for (Throwable each = from; each != null; each = each.getCause()) texts.add(each.toString());
        return texts;
    }

    private static synchronized void report(String name, List<String> errors) {
        try {
            System.out.println(JSON.writeValueAsString(Map.of("case", name, "errors", errors)));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Gives the client the token that its JAAS entry holds, whatever it is worth. */
    public static final class FixedToken implements AuthenticateCallbackHandler {
        private String token;

        @Override
        public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
            token = (String) entries.get(0).getOptions().get("token");
        }

        @Override
        public void handle(Callback[] callbacks) {
            for (Callback callback : callbacks)
                if (callback instanceof OAuthBearerTokenCallback wanted) wanted.token(new Token(token));
        }

        @Override
        public void close() {}
    }

    private record Token(String value) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        /** Of the client's own clock, so that it sends the token at all. */
        @Override
        public long lifetimeMs() {
            return System.currentTimeMillis() + 3_600_000;
        }

        @Override
        public String principalName() {
            return "alice";
        }

        @Override
        public Long startTimeMs() {
            return null;
        }
    }
}
