#include "backend/local/attachment.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "backend/local/terminal.h"

namespace sluice::backend::local {
namespace {

constexpr int kAttachPipeBytes = 64 << 10;

}  // namespace

Result<std::shared_ptr<Attachment>> Attachment::make(net::Executor executor,
                                                     const StreamOptions& options,
                                                     AttachGrant& grant) {
  TRY(SocketEnds control, make_socket_pair());
  grant.control = std::move(control.theirs);
  std::shared_ptr<Attachment> self(new Attachment(executor, std::move(control.ours)));
  self->wanted_ = {options.stdout, options.stderr};
  self->combined_ = options.combine_output || options.tty;
  if (options.stdout || (self->combined_ && options.stderr)) {
    TRY(PipeEnds pipe, make_pipe(kAttachPipeBytes));
    self->outputs_[0].pipe.emplace(executor, std::move(pipe.writer));
    grant.stdout = std::move(pipe.reader);
  }
  if (options.stderr && !self->combined_) {
    TRY(PipeEnds pipe, make_pipe(kAttachPipeBytes));
    self->outputs_[1].pipe.emplace(executor, std::move(pipe.writer));
    grant.stderr = std::move(pipe.reader);
  }
  return self;
}

Attachment::Attachment(net::Executor executor, UniqueFd control)
    : control_(executor, std::move(control)),
      changed_(executor),
      drained_{net::Event(executor), net::Event(executor)} {}

void Attachment::start(net::TaskGroup& tasks) {
  tasks.spawn("attachment control", watch_control(shared_from_this()));
  tasks.spawn("attachment delivery", deliver(shared_from_this()));
}

void Attachment::push(OutputChannel channel, Bytes bytes) {
  Output* const to = output(channel);
  if (to == nullptr || !to->pipe || ended_) return;
  to->pending.insert(to->pending.end(), bytes.begin(), bytes.end());
  flush(*to);
  if (!to->pending.empty()) changed_.notify();
}

bool Attachment::has_pending() const {
  return !ended_ && (!outputs_[0].pending.empty() || !outputs_[1].pending.empty());
}

void Attachment::finish(ShimMessage end) {
  result_ = end;
  changed_.notify();
}

Attachment::Output* Attachment::output(OutputChannel channel) {
  const std::size_t index = channel == OutputChannel::Stdout ? 0 : 1;
  if (!wanted_[index]) return nullptr;
  return &outputs_[combined_ ? 0 : index];
}

void Attachment::flush(Output& output) {
  std::size_t written = 0;
  while (written < output.pending.size()) {
    const ssize_t count = ::write(output.pipe->fd(), output.pending.data() + written,
                                  output.pending.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      return end();  // the session closed its end
    }
  }
  output.pending.erase(output.pending.begin(),
                       output.pending.begin() + static_cast<std::ptrdiff_t>(written));
  if (output.pending.empty()) {
    output.pending.shrink_to_fit();
    for (net::Event& event : drained_) event.notify();
  }
}

void Attachment::end() {
  if (std::exchange(ended_, true)) return;
  for (Output& output : outputs_) {
    output.pending = {};
    if (output.pipe) output.pipe->close();
  }
  control_.close();
  changed_.notify();
  for (net::Event& event : drained_) event.notify();
}

net::Task<> Attachment::watch_control(std::shared_ptr<Attachment> self) {
  // The session sends nothing: readable means that it has gone.
  const Result<> gone = co_await self->control_.readable();
  if (gone) self->end();
}

net::Task<> Attachment::deliver(std::shared_ptr<Attachment> self) {
  while (!self->ended_) {
    for (Output& output : self->outputs_) {
      while (!self->ended_ && !output.pending.empty()) {
        self->flush(output);
        if (output.pending.empty() || self->ended_) break;
        const Result<> waited = co_await output.pipe->writable();
        if (!waited) co_return self->end();
      }
    }
    if (self->ended_) break;
    if (self->result_ && !self->has_pending()) {
      // All output first, then how it ended: the session reads in that order.
      for (Output& output : self->outputs_) {
        if (output.pipe) output.pipe->close();
      }
      (void)::send(self->control_.fd(), &*self->result_, sizeof *self->result_,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
      co_return self->end();
    }
    const Result<> changed = co_await self->changed_.wait();
    if (!changed) co_return self->end();
  }
}

}  // namespace sluice::backend::local
