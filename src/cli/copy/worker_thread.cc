#include "cli/copy/worker_thread.h"

#include "net/event_loop.h"

namespace sluice::cli {

WorkerThread::WorkerThread(net::Executor executor, Work work)
    : shared_(std::make_shared<Shared>(executor)),
      thread_([executor, shared = shared_,
               work = std::move(work)](const std::stop_token& stop) mutable {
        Result<> result = work(stop);
        work = nullptr;
        {
          const std::lock_guard lock(shared->mutex);
          shared->result = std::move(result);
        }
        net::post(executor, [shared] { shared->done.notify(); });
      }) {}

net::Task<Result<>> WorkerThread::result() {
  while (true) {
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->result) co_return *shared_->result;
    }
    CO_TRY_VOID(co_await shared_->done.wait());
  }
}

}  // namespace sluice::cli
