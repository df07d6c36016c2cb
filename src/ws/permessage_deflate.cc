#include "ws/permessage_deflate.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <zlib.h>

#include "ws/output_buffer.h"

namespace sluice::ws {
namespace {

// What each message ends with before the sender cuts it off: an empty stored block (RFC
// 7692 7.2.1).
constexpr std::array kTail = {std::byte{0x00}, std::byte{0x00}, std::byte{0xFF}, std::byte{0xFF}};

// zlib takes at most 4 GiB at a time, and its views of the input are not const.
constexpr std::size_t kMaxStep = 1_GiB;

constexpr int kBetweenBlocks = 128;  // in z_stream::data_type, see inflate() in zlib.h

Bytef* zlib_pointer(Bytes bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

std::unexpected<Error> cut_short() {
  return fail(ErrorCode::InvalidArgument, "compressed message is cut short");
}

uInt zlib_size(std::size_t size) { return static_cast<uInt>(std::min(size, kMaxStep)); }

}  // namespace

Deflater::Deflater(DeflateDirection direction)
    : stream_(std::make_unique<z_stream>()), takeover_(direction.takeover) {
  // Logs shrink well at the fastest level, and the server's core is what is short.
  const int status = deflateInit2(stream_.get(), Z_BEST_SPEED, Z_DEFLATED, -direction.window_bits,
                                  MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY);
  assert(status == Z_OK);
  (void)status;
}

Deflater::~Deflater() { deflateEnd(stream_.get()); }

void Deflater::compress(Bytes payload, bool final, OutputBuffer& out) {
  const std::size_t before = out.size();
  do {
    stream_->next_in = zlib_pointer(payload);
    stream_->avail_in = zlib_size(payload.size());
    payload = payload.subspan(stream_->avail_in);
    do {
      const std::size_t room = 16_KiB;
      stream_->next_out = reinterpret_cast<Bytef*>(out.reserve(room));
      stream_->avail_out = room;
      (void)deflate(stream_.get(), payload.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
      out.commit(room - stream_->avail_out);
    } while (stream_->avail_out == 0);
  } while (!payload.empty());
  if (!final) return;
  // zlib flushes nothing when nothing came since the last flush; then the empty block is written
  // here.
  if (out.size() - before >= kTail.size()) {
    out.drop_last(kTail.size());
  } else {
    out.append(Bytes(kTail).first(1));
  }
  if (takeover_ == ContextTakeover::Drop) deflateReset(stream_.get());
}

Inflater::Inflater(DeflateDirection direction)
    : stream_(std::make_unique<z_stream>()), takeover_(direction.takeover) {
  const int status = inflateInit2(stream_.get(), -direction.window_bits);
  assert(status == Z_OK);
  (void)status;
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

Result<Inflater::Step> Inflater::decompress(Bytes input, bool ends_message, MutableBytes room) {
  stream_->next_out = reinterpret_cast<Bytef*>(room.data());
  stream_->avail_out = zlib_size(room.size());
  const std::size_t room_size = stream_->avail_out;
  Step step;
  TRY(step.consumed, inflate_some(input));
  const bool at_end = ends_message && step.consumed == input.size();
  if (at_end && stream_->avail_out > 0) {
    const auto room_left = stream_->avail_out;
    TRY(const std::size_t count, inflate_some(Bytes(kTail).subspan(tail_sent_)));
    tail_sent_ += count;
    if (stream_->avail_out < room_left) return cut_short();  // the tail was taken for data
  }
  step.produced = room_size - stream_->avail_out;
  step.more = stream_->avail_out == 0 || step.consumed < input.size();
  if (!at_end || step.more) return step;
  tail_sent_ = 0;
  const bool between_blocks = (stream_->data_type & kBetweenBlocks) != 0;
  if (!between_blocks) return cut_short();
  if (takeover_ == ContextTakeover::Drop) inflateReset(stream_.get());
  return step;
}

Result<std::size_t> Inflater::inflate_some(Bytes input) {
  stream_->next_in = zlib_pointer(input);
  stream_->avail_in = zlib_size(input.size());
  const std::size_t offered = stream_->avail_in;
  while (true) {
    const int status = inflate(stream_.get(), Z_SYNC_FLUSH);
    if (status == Z_STREAM_END) {
      // A final block may stand in a message; the next one still refers back (RFC 7692 7.2.3.4).
      inflateResetKeep(stream_.get());
    } else if (status == Z_BUF_ERROR) {
      break;
    } else if (status != Z_OK) {
      return fail(ErrorCode::InvalidArgument, "message is not DEFLATE data");
    }
    if (stream_->avail_in == 0 || stream_->avail_out == 0) break;
  }
  return offered - stream_->avail_in;
}

}  // namespace sluice::ws
