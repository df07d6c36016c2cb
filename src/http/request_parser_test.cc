#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

constexpr std::size_t kLimit = 64 * 1024;

constexpr std::string_view kChunked =
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked \r\n\r\n";

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
  for (const std::string_view body : {"5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n"}) {
    const std::string text =
        "\r\nPOST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      const auto head = parse(text, piece);
      ASSERT_TRUE(head) << piece << ": " << head.error().message;
      EXPECT_EQ(head->path, "/p");
    }
  }
}

TEST(RequestParser, UpgradeOfHttp10IsIgnored) {
  const auto old = parse("GET / HTTP/1.0\r\nUpgrade: websocket\r\nX: y\r\n\r\n");
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_FALSE(old->fields.find("Upgrade"));
  EXPECT_EQ(old->fields.find("X"), "y");
  EXPECT_TRUE(
      parse("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n")->fields.find("Upgrade"));
}

TEST(RequestParser, NoRequestFollowsOneThatAsksForAnotherProtocol) {
  for (const std::string_view upgrade : {"websocket", "h2c", ""}) {
    const auto head =
        parse("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: " + std::string(upgrade) + "\r\n\r\n");
    ASSERT_TRUE(head) << head.error().message;
    EXPECT_FALSE(head->keep_alive) << upgrade;
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
           "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n",      // user information
           "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n",         // another scheme
           "GET status HTTP/1.1\r\nHost: h\r\n\r\n",           // no form of a target
           "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",              // Hosts that are none
           "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nA: \x7f\r\n\r\n",  // control characters
           "GET / HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n",     // no name
           "GET / HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n",  // a space in it
           "GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n",       // no colon
           " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
           "nonsense\r\n\r\n",
           "GET / HTTP/1.2\r\nHost: h\r\n\r\n",  // versions and methods of nobody's
           "GET / http/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/01.1\r\nHost: h\r\n\r\n",
           "GET /\r\n\r\n",
           "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1\r\nA\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1\r\n A: b\r\nHost: h\r\n\r\n",  // a first line that is folded
           "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\r\n\r\n",
           "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
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
           "Content-Length: 0x1\r\n",
           "Content-Length: 99999999999999999999\r\n",
           "Content-Length:\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: chunked;q=1\r\n",
           "Transfer-Encoding:\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: \x0b"
           "chunked\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
           "Transfer-Encoding: ,chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Content-Length: 1 1\r\n",
           "Content-Length: 1;a\r\n",
       }) {
    const std::string text = "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\nx";
    EXPECT_EQ(code_of(text), ErrorCode::InvalidArgument) << fields;
  }
}

TEST(RequestParser, ChunkedBodyOfHttp10IsRefused) {
  EXPECT_EQ(code_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ErrorCode::InvalidArgument);
}

TEST(RequestParser, TrailersAreNoFieldsHoweverTheyCome) {
  const std::string_view text =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
      "Authorization: Bearer x\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto head = parse(text, piece);
    ASSERT_TRUE(head) << piece << ": " << head.error().message;
    EXPECT_EQ(head->fields.find("Authorization"), std::nullopt);
  }
}

TEST(RequestParser, EndlessChunkHeadIsHeaderTooLarge) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string endless(kLimit + 2, 'a');
  EXPECT_EQ(code_of(chunked + "5;" + endless), ErrorCode::HeaderTooLarge);
  EXPECT_EQ(code_of(chunked + "0\r\nA: " + endless), ErrorCode::HeaderTooLarge);
  EXPECT_NE(code_of(chunked + "0\r\nA: " + endless + "\r\n\r\n"), ErrorCode::Cancelled);
}

TEST(RequestParser, MalformedChunksAreRefused) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view body : {
           "x\r\na\r\n0\r\n\r\n",
           "1\r\nab\r\n0\r\n\r\n",
           "-1\r\n\r\n",
           "\r\n\r\n",
           "fffffffffffffffff\r\n\r\n",
           "10000000000000001\r\na\r\n0\r\n\r\n",  // 1, if one forgets to look for the overflow
           "+1\r\na\r\n0\r\n\r\n",
           "0x1\r\na\r\n0\r\n\r\n",
           " 1\r\na\r\n0\r\n\r\n",
           "1,1\r\na\r\n0\r\n\r\n",
           "1\na\r\n0\r\n\r\n",  // bare line feeds and returns, wherever a line may end
           "1\r\na\n0\r\n\r\n",
           "1\r\na0\r\n\r\n",
           "1\r\na\r\n0\n\r\n",
           "1\r\na\r\n0\r\n\n",
           "1\r\na\r\n0\r\r\n",
           "1;a\nb\r\na\r\n0\r\n\r\n",
           "1;a=\"\n\"\r\na\r\n0\r\n\r\n",
           "1;a\r\r\na\r\n0\r\n\r\n",
           "1\r\na\r\n0\r\nA: b\n\r\n",
           "1\r\na\r\n0\r\nA\r\n\r\n",
       }) {
    EXPECT_NE(code_of(chunked + std::string(body)), ErrorCode::Cancelled) << body;
  }
}

TEST(RequestParser, QuoteThatItsLineDoesNotEndIsMalformedAtOnce) {
  for (const std::string_view body :
       {"1;a=\"\r\n", "1;a=\"b\\\"\r\n", "2\r\nab\r\n1;a=\"b\";c=\"\r\n", "0;a=\"\r\n",
        "1\r\na\r\n0;a=\"\r\nB: c\r\n"}) {
    const std::string text = std::string(kChunked) + std::string(body);
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      const auto head = parse(text, piece);
      ASSERT_FALSE(head);
      EXPECT_EQ(head.error().code, ErrorCode::InvalidArgument) << body << piece;
    }
  }
}

TEST(RequestParser, ChunksMayHaveExtensionsAndLeadingZeros) {
  for (const std::string_view body :
       {"1;a=b;c=\"d\"\r\na\r\n0\r\n\r\n", "1;a=\"\\\"\"\r\na\r\n0;b=\"c\"\r\nD: \"\r\n\r\n",
        "0001\r\na\r\n000\r\n\r\n", "A\r\n\"123456789\r\n0\r\n\r\n"}) {
    const std::string text = std::string(kChunked) + std::string(body);
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      EXPECT_TRUE(parse(text, piece)) << body << piece;
    }
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_EQ(code_of(text.substr(0, size)), ErrorCode::Internal) << body << size;
    }
  }
}

TEST(RequestParser, HeadThatComesByteByByteIsLookedAtOnce) {
  // Looking at all of it again with each byte would be two billion steps.
  const std::string text =
      "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(kLimit - 100, 'a') + "\r\n\r\n";
  EXPECT_TRUE(parse(text, 1));
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
  EXPECT_EQ(parse("GET HTTPS://h?a=http://b HTTP/1.1\r\nHost: H\r\n\r\n")->query, "a=http://b");
  EXPECT_EQ(parse("GET /x?u=http://other/ HTTP/1.1\r\nHost: h\r\n\r\n")->path, "/x");
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
