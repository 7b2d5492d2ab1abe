import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * Reads Kafka values as somebody else's program would: Confluent framing by hand, the writer's schema from the
 * registry, and Apache Avro, which shares no code with Ringbridge.
 *
 * <pre>java -cp 'avro/*' Decode.java REGISTRY_URL</pre>
 *
 * Each line of input is one value in base64; each gets one line of JSON back, in order:
 * {"schema": full name, "id": schema id, "value": ...}, or {"error": why} for a value that does not decode to its last byte.
 * In a value:
 * <ul>
 * <li>record, map: object; array: array; enum: its symbol; bytes and fixed: base64;
 * <li>timestamp-millis: RFC 3339 in UTC, always with three digits of a second; other logical types as what they are stored in;
 * <li>union of null and one other type: null or the bare value; union of several others: {"branch's full name": value}.
 * </ul>
 * It ends with its input.
 */
public final class Decode {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final DateTimeFormatter MILLIS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<Integer, Schema> schemas = new HashMap<>();
    private final String registry;

    private Decode(String registry) {
        this.registry = registry.replaceAll("/+$", "");
    }

    public static void main(String[] args) throws Exception {
        Decode decode = new Decode(args[0]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line; (line = in.readLine()) != null; ) {
            System.out.write(JSON.writeValueAsBytes(decode.answer(line)));
            System.out.write('\n');
            System.out.flush();
        }
    }

    private ObjectNode answer(String line) {
        try {
            return value(Base64.getDecoder().decode(line));
        } catch (Exception | StackOverflowError | OutOfMemoryError e) {
            return NODES.objectNode().put("error", e.toString());
        }
    }

    private ObjectNode value(byte[] framed) throws Exception {
        ByteBuffer frame = ByteBuffer.wrap(framed);
        if (framed.length < 5 || frame.get() != 0) {
            throw new IllegalArgumentException("not in Confluent wire format");
        }
        int id = frame.getInt();
        Schema schema = schema(id);
        BinaryDecoder binary = DecoderFactory.get().binaryDecoder(framed, 5, framed.length - 5, null);
        Object datum = new GenericDatumReader<>(schema).read(null, binary);
        if (!binary.isEnd()) {
            throw new IllegalArgumentException("bytes left over after the value");
        }
        ObjectNode answer = NODES.objectNode().put("schema", schema.getFullName()).put("id", id);
        answer.set("value", json(schema, datum));
        return answer;
    }

    private Schema schema(int id) throws Exception {
        Schema known = schemas.get(id);
        if (known != null) {
            return known;
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException("schema " + id + ": registry answered " + response.statusCode());
        }
        Schema schema = new Schema.Parser().parse(JSON.readTree(response.body()).get("schema").textValue());
        schemas.put(id, schema);
        return schema;
    }

    private static JsonNode json(Schema schema, Object datum) {
        switch (schema.getType()) {
            case RECORD: {
                ObjectNode out = NODES.objectNode();
                schema.getFields().forEach(f -> out.set(f.name(), json(f.schema(), ((GenericRecord) datum).get(f.pos()))));
                return out;
            }
            case MAP: {
                ObjectNode out = NODES.objectNode();
                ((Map<?, ?>) datum).forEach((k, v) -> out.set(k.toString(), json(schema.getValueType(), v)));
                return out;
            }
            case ARRAY: {
                ArrayNode out = NODES.arrayNode();
                ((Iterable<?>) datum).forEach(v -> out.add(json(schema.getElementType(), v)));
                return out;
            }
            case UNION:
                return union(schema, datum);
            case BYTES:
                return base64(((ByteBuffer) datum).duplicate());
            case FIXED:
                return base64(ByteBuffer.wrap(((GenericData.Fixed) datum).bytes()));
            case LONG:
                return schema.getLogicalType() instanceof LogicalTypes.TimestampMillis
                        ? NODES.textNode(MILLIS.format(Instant.ofEpochMilli((Long) datum)))
                        : NODES.numberNode((Long) datum);
            case INT:
                return NODES.numberNode((Integer) datum);
            case FLOAT:
                return NODES.numberNode((Float) datum);
            case DOUBLE:
                return NODES.numberNode((Double) datum);
            case BOOLEAN:
                return NODES.booleanNode((Boolean) datum);
            case NULL:
                return NODES.nullNode();
            default: // STRING, ENUM
                return NODES.textNode(datum.toString());
        }
    }

    private static JsonNode union(Schema union, Object datum) {
        Schema branch = union.getTypes().get(GenericData.get().resolveUnion(union, datum));
        JsonNode value = json(branch, datum);
        long others = union.getTypes().stream().filter(t -> t.getType() != Schema.Type.NULL).count();
        if (others < 2 || branch.getType() == Schema.Type.NULL) {
            return value;
        }
        return NODES.objectNode().set(branch.getFullName(), value);
    }

    private static JsonNode base64(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return NODES.textNode(Base64.getEncoder().encodeToString(copy));
    }
}
