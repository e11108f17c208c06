// Posts as Java's HttpClient does, which offers HTTP/2 (`Upgrade: h2c`) with each request: `java Post.java URL`, then a
// line `FRAMING FILE` on standard input for each request. Prints `STATUS BODY` for each answer. One client posts all.

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Scanner;

class Post {
    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        for (var lines = new Scanner(System.in); lines.hasNext(); ) {
            var framing = lines.next();
            var body = Files.readAllBytes(Path.of(lines.next()));
            var publisher = framing.equals("chunked")
                    ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))
                    : BodyPublishers.ofByteArray(body);
            var request = HttpRequest.newBuilder(URI.create(arguments[0]))
                    .timeout(Duration.ofSeconds(20))
                    .header("Content-Type", "application/json")
                    .expectContinue(framing.equals("expect"))
                    .POST(publisher)
                    .build();
            var response = client.send(request, BodyHandlers.ofString());
            System.out.println(response.statusCode() + " " + response.body());
        }
    }
}
