#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

constexpr std::size_t kLimit = 64 * 1024;

/// Feeds `text` in pieces; the head, once complete, or the error. Dies when it is never complete.
Result<RequestHead> parse(std::string_view text, std::size_t piece = std::string_view::npos) {
  RequestParser parser(kLimit, kLimit);
  std::string buffer;
  while (!parser.complete()) {
    if (text.empty()) return fail(ErrorCode::Internal, "incomplete");
    buffer += text.substr(0, piece);
    text.remove_prefix(std::min(piece, text.size()));
    TRY(const std::size_t taken, parser.feed(buffer));
    buffer.erase(0, taken);
  }
  return parser.take_head();
}

ErrorCode code_of(std::string_view text) {
  const Result<RequestHead> head = parse(text);
  return head ? ErrorCode::Cancelled : head.error().code;
}

TEST(RequestParser, ReadsMethodPathQueryAndFields) {
  const auto head = parse("GET /a%20b?x=1&y=2 HTTP/1.1\r\nHost: h\r\nX-Y: z\r\n\r\n");
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->path, "/a%20b");
  EXPECT_EQ(head->query, "x=1&y=2");
  EXPECT_EQ(head->fields.find("x-y"), "z");
  EXPECT_TRUE(head->keep_alive);
}

TEST(RequestParser, PiecesOfAnySizeGiveTheSame) {
  const std::string_view text =
      "\r\nPOST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto head = parse(text, piece);
    ASSERT_TRUE(head) << piece << ": " << head.error().message;
    EXPECT_EQ(head->path, "/p");
  }
}

TEST(RequestParser, CutShortIsNeverComplete) {
  const std::string_view text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(code_of(text.substr(0, size)), ErrorCode::Internal) << size;
  }
}

TEST(RequestParser, BytesBehindTheRequestAreLeft) {
  RequestParser parser(kLimit, kLimit);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(parser.feed(std::string(request) + "\x81\x80next"), request.size());
  EXPECT_TRUE(parser.complete());
}

TEST(RequestParser, MalformedHeadsAreRefused) {
  for (const std::string_view text : {
           "GET / HTTP/1.1\nHost: h\n\n",                      // bare LF
           "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",  // obs-fold
           "GET / HTTP/1.1\r\nHost : h\r\n\r\n",               // space before the colon
           "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",     // bare CR
           "GET / HTTP/1.1\r\n\r\n",                           // no Host
           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",     // two
           "GET / HTTP/2.0\r\nHost: h\r\n\r\n",                // version
           "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",               // two spaces
           "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n",              // fragment
           "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n",    // not our authority
           "nonsense\r\n\r\n",
       }) {
    EXPECT_EQ(code_of(text), ErrorCode::InvalidArgument) << text;
  }
}

TEST(RequestParser, TwoFramingsOfOneBodyAreRefused) {
  for (const std::string_view fields : {
           "Content-Length: 1\r\nContent-Length: 1\r\n",
           "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: identity\r\n",
           "Content-Length: +1\r\n",
           "Content-Length: 1, 1\r\n",
           "Content-Length: -1\r\n",
       }) {
    const std::string text = "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\nx";
    EXPECT_EQ(code_of(text), ErrorCode::InvalidArgument) << fields;
  }
}

TEST(RequestParser, HeadOverTheLimitIsHeaderTooLarge) {
  const std::string big = "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(kLimit, 'a');
  EXPECT_EQ(code_of(big + "\r\n\r\n"), ErrorCode::HeaderTooLarge);
  EXPECT_EQ(code_of(big), ErrorCode::HeaderTooLarge);
}

TEST(RequestParser, BodyUpToTheLimitIsDroppedAndBeyondIsTooLarge) {
  const auto request = [](std::size_t size) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'b');
  };
  EXPECT_TRUE(parse(request(kLimit)));
  EXPECT_EQ(code_of(request(kLimit + 1)), ErrorCode::TooLarge);
}

TEST(RequestParser, AbsoluteFormIsServedWhenItIsMeantForUs) {
  const auto head = parse("GET http://h:80/p?q HTTP/1.1\r\nHost: h:80\r\n\r\n");
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->path, "/p");
  EXPECT_EQ(head->query, "q");
}

TEST(RequestParser, AsteriskAndAuthorityFormsHaveNoRoute) {
  EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")->path, "/*");
  EXPECT_EQ(parse("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n")->path, "/h:1");
}

TEST(RequestParser, Http10ClosesUnlessAsked) {
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")->keep_alive);
}

}  // namespace
}  // namespace sluice::http
