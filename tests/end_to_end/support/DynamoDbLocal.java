import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

/**
 * Starts DynamoDB Local in memory on a free port of the loopback interface, prints the port, and ends with its standard
 * input, that is, with the process that started it. Its own main class listens on all interfaces and does not end.
 */
class DynamoDbLocal {
    public static void main(String[] arguments) throws Exception {
        var requests = new LocalDynamoDBRequestHandler(0, true, null, false, false);
        var server = new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        server.setHandler(new LocalDynamoDBServerHandler(requests, "*"));
        server.start();
        System.out.println(((ServerConnector) server.getConnectors()[0]).getLocalPort());
        while (System.in.read() != -1) {}
        Runtime.getRuntime().halt(0);
    }
}
