import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** A pool that waits for its work when it is closed, as ExecutorService does since Java 19. */
final class Threads implements AutoCloseable {
    private final ExecutorService pool;

    Threads(int count) {
        pool = Executors.newFixedThreadPool(count);
    }

    Future<Void> submit(Callable<Void> work) {
        return pool.submit(work);
    }

    @Override
    public void close() {
        pool.shutdown();
        try {
            pool.awaitTermination(1, TimeUnit.HOURS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
