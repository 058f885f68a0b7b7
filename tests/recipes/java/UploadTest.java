import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.UUID;
import java.util.regex.Pattern;

class UploadTest {
    static final String PICTURE =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    static final Pattern IMAGE_URL = Pattern.compile("\"imageURL\":\"([^\"]+)\"");

    // The mock speaks HTTP/1.1.
    static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Your application: uploads a picture and returns its URL. */
    static URI upload(String picture) throws Exception {
        var body = """
            [{"taskType": "imageUpload", "taskUUID": "%s", "image": "%s"}]
            """.formatted(UUID.randomUUID(), picture);
        var request = HttpRequest.newBuilder(URI.create(System.getenv("RUNWARE_BASE_URL")))
            .header("Authorization", "Bearer " + System.getenv("RUNWARE_API_KEY"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        var answer = CLIENT.send(request, BodyHandlers.ofString());
        var url = IMAGE_URL.matcher(answer.body());
        if (answer.statusCode() != 200 || !url.find()) {
            throw new IllegalStateException("the upload failed: " + answer.body());
        }
        return URI.create(url.group(1));
    }

    public static void main(String[] arguments) throws Exception {
        var url = upload(PICTURE);
        var stored = CLIENT.send(HttpRequest.newBuilder(url).build(), BodyHandlers.ofByteArray()).body();
        if (!Base64.getEncoder().encodeToString(stored).equals(PICTURE)) {
            throw new AssertionError(url + " is another picture");
        }
        System.out.println("ok: " + url);
    }
}
