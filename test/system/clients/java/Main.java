import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

final class Main {
    public static void main(String[] args) throws Exception {
        Report report = new Report();
        if (args[0].equals("steps")) {
            new Steps(report).run(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
            return;
        }
        Job job = Job.read(System.in);
        switch (args[0]) {
            case "prepare" -> new Administer(job, report).prepare();
            case "admin" -> new Administer(job, report).run();
            case "records" -> records(job, report);
            case "jobs" -> jobs(job);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void records(Job job, Report report) throws Exception {
        if (!job.is("together")) {
            new Produce(job, report).run();
            new Consume(job, report).run();
            return;
        }
        try (var threads = new Threads(1)) {
            var reading = threads.submit(() -> {
                new Consume(job, report).run();
                return null;
            });
            new Produce(job, report).run();
            reading.get();
        }
    }

    /** Many jobs in one process. One that fails says so, and the others go on. */
    private static void jobs(Job all) {
        try (var threads = new Threads(all.number("parallel"))) {
            int number = 0;
            for (Job job : all.jobs()) {
                Report report = new Report(number++);
                threads.submit(() -> {
                    try {
                        records(job, report);
                    } catch (Exception | Error failure) {
                        report.fact("failed", said(failure));
                    }
                    report.fact("ended", true);
                    report.flush();
                    return null;
                });
            }
        }
    }

    private static String said(Throwable failure) {
        return failure.getCause() == null ? failure.toString() : failure + ": " + said(failure.getCause());
    }
}
