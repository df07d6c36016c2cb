// A BIO, OpenSSL's notion of a transport, on a TcpStream. OpenSSL's own socket BIO keeps the number
// of a descriptor, which after close() may be another connection's, and lets a write to a lost
// connection raise SIGPIPE; this one does neither. It buffers nothing.
#pragma once

#include "net/tcp_stream.h"

struct bio_st;  // OpenSSL's BIO

namespace sluice::net {

/// For SSL_set_bio(), which then owns it. `tcp` must outlive it.
bio_st* new_tls_bio(TcpStream& tcp);

}  // namespace sluice::net
