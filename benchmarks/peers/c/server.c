// An echo server with mutual TLS, as plain as OpenSSL allows: one context, one thread, blocking calls.
//   server DIRECTORY 1.2|1.3 TICKETS
// Prints "ready PORT". A line on stdin is answered with "cpu NANOSECONDS 0"; the end of stdin ends the process.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static void *answer_control(void *unused) {
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    long long microseconds = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    printf("cpu %lld 0\n", microseconds * 1000);
    fflush(stdout);
  }
  exit(0);
  return unused;
}

static SSL_CTX *make_context(const char *directory, const char *version, int tickets) {
  char path[4096];
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, number);
  SSL_CTX_set_max_proto_version(context, number);
  snprintf(path, sizeof path, "%s/server.pem", directory);
  if (SSL_CTX_use_certificate_chain_file(context, path) != 1) fail(path);
  snprintf(path, sizeof path, "%s/server.key", directory);
  if (SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1) fail(path);
  snprintf(path, sizeof path, "%s/root.pem", directory);
  if (SSL_CTX_load_verify_locations(context, path, NULL) != 1) fail(path);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"compare", 7);
  if (!tickets) {
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
  return context;
}

static void serve(SSL_CTX *context, int peer) {
  static char buffer[64 * 1024];
  int one = 1, count;
  setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, peer);
  if (SSL_accept(ssl) == 1) {
    while ((count = SSL_read(ssl, buffer, sizeof buffer)) > 0 && SSL_write(ssl, buffer, count) == count) {
    }
    SSL_shutdown(ssl);
  } else {
    ERR_print_errors_fp(stderr);
  }
  SSL_free(ssl);
  close(peer);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: server DIRECTORY 1.2|1.3 0|1\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = make_context(argv[1], argv[2], atoi(argv[3]));
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 512) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    fail("listen");
  pthread_t control;
  pthread_create(&control, NULL, answer_control, NULL);
  printf("ready %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int peer = accept(listener, NULL, NULL);
    if (peer >= 0) serve(context, peer);
  }
}
