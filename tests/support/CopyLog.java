import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;

/**
 * Debezium's embedded engine, which writes each message as a line, topic and value, and after each
 * batch an empty line. It goes on once it has read a line: until then its place does not move.
 * {@code java -cp 'libraries/*' CopyLog.java engine.properties}
 */
public class CopyLog {
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (Reader file = new FileReader(arguments[0], StandardCharsets.UTF_8)) {
            properties.load(file);
        }
        DebeziumEngine.create(Json.class)
            .using(properties)
            .notifying(CopyLog::write)
            .using((success, message, error) -> System.err.println(message + " " + error))
            .build()
            .run();
        System.exit(0);
    }

    private static void write(
            List<ChangeEvent<String, String>> events,
            DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> committer)
            throws InterruptedException {
        for (ChangeEvent<String, String> event : events) {
            OUT.print(event.destination() + "\t" + (event.value() == null ? "" : event.value()) + "\n");
        }
        OUT.print("\n");
        OUT.flush();
        try {
            if (IN.readLine() == null) {
                System.exit(1);
            }
        } catch (IOException error) {
            System.exit(1);
        }
        for (ChangeEvent<String, String> event : events) {
            committer.markProcessed(event);
        }
        committer.markBatchFinished();
    }
}
