final class Main {
    public static void main(String[] args) throws Exception {
        Job job = Job.read(System.in);
        Report report = new Report();
        switch (args[0]) {
            case "prepare" -> new Administer(job, report).prepare();
            case "admin" -> new Administer(job, report).run();
            case "records" -> {
                new Produce(job, report).run();
                new Consume(job, report).run();
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }
}
