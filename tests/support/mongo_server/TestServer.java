import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** A MongoDB look-alike on a free port of the loopback, until its standard input closes. Argument: an H2 file, or none. */
public class TestServer {
    /** pymongo refuses the server's own wire version 7. */
    record Version() implements MongoVersion {
        public List<Integer> getVersionArray() { return List.of(4, 4, 0); }
        public int getWireVersion() { return 9; }
    }

    public static void main(String[] arguments) throws Exception {
        MongoBackend backend = arguments.length > 0 ? new H2Backend(arguments[0]) : new MemoryBackend();
        MongoServer server = new MongoServer(backend.version(new Version()));
        server.bind("127.0.0.1", 0);
        System.out.println("port " + server.getLocalAddress().getPort());
        System.out.flush();
        while (System.in.read() >= 0) { }
        server.shutdownNow();
        System.exit(0);
    }
}
