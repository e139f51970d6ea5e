// A plain TLS peer: client HOST PORT DIR | server DIR. DIR holds authority.pem and peer.p12 (password: secret).
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Peer {
    public static void main(String[] args) throws Exception {
        SSLContext tls = context(args[args.length - 1]);
        if (args[0].equals("client")) {
            try (SSLSocket stream = (SSLSocket) tls.getSocketFactory().createSocket(args[1], Integer.parseInt(args[2]))) {
                var parameters = stream.getSSLParameters();
                parameters.setServerNames(List.of(new SNIHostName("server.test")));
                stream.setSSLParameters(parameters);
                stream.getOutputStream().write("hello\n".getBytes());
                String line = new BufferedReader(new InputStreamReader(stream.getInputStream())).readLine();
                if (line == null) {
                    System.exit(1);
                }
                System.out.println(line);
            }
        } else {
            try (var listener = (SSLServerSocket) tls.getServerSocketFactory().createServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
                listener.setNeedClientAuth(true);
                System.out.println("listening on 127.0.0.1:" + listener.getLocalPort());
                try (var stream = listener.accept()) {
                    byte[] buffer = new byte[4096];
                    for (int count; (count = stream.getInputStream().read(buffer)) > 0; ) {
                        stream.getOutputStream().write(buffer, 0, count);
                    }
                }
            }
        }
    }

    private static SSLContext context(String directory) throws Exception {
        char[] password = "secret".toCharArray();
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (var file = new FileInputStream(directory + "/peer.p12")) {
            own.load(file, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, password);

        KeyStore authorities = KeyStore.getInstance("PKCS12");
        authorities.load(null, null);
        try (var file = new FileInputStream(directory + "/authority.pem")) {
            authorities.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authorities);

        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return tls;
    }
}
