// Servers for the gallery, one for each way to judge: Gallery AUTHORITY PKCS12 (password: secret). They send back what they get, and end with
// their input.
import java.io.FileInputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

public class Gallery {
    private static final TrustManager[] EVERYBODY = {new X509TrustManager() {
        public void checkClientTrusted(X509Certificate[] chain, String type) {
        }

        public void checkServerTrusted(X509Certificate[] chain, String type) {
        }

        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }};

    public static void main(String[] args) throws Exception {
        char[] password = "secret".toCharArray();
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (var file = new FileInputStream(args[1])) {
            own.load(file, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, password);
        KeyStore authorities = KeyStore.getInstance("PKCS12");
        authorities.load(null, null);
        try (var file = new FileInputStream(args[0])) {
            authorities.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(authorities);

        SSLServerSocket right = listen("Right", keys, trust.getTrustManagers());
        right.setNeedClientAuth(true);
        SSLServerSocket optional = listen("Optional", keys, trust.getTrustManagers());
        optional.setWantClientAuth(true);
        SSLServerSocket everybody = listen("Everybody", keys, EVERYBODY);
        everybody.setWantClientAuth(true);
        for (SSLServerSocket listener : new SSLServerSocket[] {right, optional, everybody}) {
            daemon(() -> accept(listener));
        }
        while (System.in.read() >= 0) {
        }
    }

    private static SSLServerSocket listen(String name, KeyManagerFactory keys, TrustManager[] trust) throws Exception {
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust, null);
        var listener = (SSLServerSocket) tls.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        System.out.println(name + " " + listener.getLocalPort());
        return listener;
    }

    private static void accept(SSLServerSocket listener) {
        try {
            while (true) {
                var stream = (SSLSocket) listener.accept();
                stream.setTcpNoDelay(true);
                daemon(() -> echo(stream));
            }
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    private static void echo(SSLSocket socket) {
        try (SSLSocket stream = socket) {
            byte[] buffer = new byte[4096];
            for (int count; (count = stream.getInputStream().read(buffer)) > 0; ) {
                stream.getOutputStream().write(buffer, 0, count);
            }
        } catch (Exception e) {
            // The client was refused, or has gone.
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }
}
