#include "sluiced/worker_group.h"

namespace sluice::sluiced {

WorkerGroup::WorkerGroup(net::EventLoop& loop) : loop_(loop), done_(loop.executor()) {}

void WorkerGroup::add(std::unique_ptr<Worker> worker) { workers_.push_back(std::move(worker)); }

void WorkerGroup::start() {
  for (const auto& worker : workers_) {
    worker->loop().post([worker = worker.get()] { worker->start(); });
  }
}

std::vector<int> WorkerGroup::sockets() const {
  std::vector<int> descriptors;
  for (const auto& worker : workers_) {
    for (net::Listener& listener : worker->listeners()) descriptors.push_back(listener.fd());
  }
  return descriptors;
}

net::Task<> WorkerGroup::stop_accepting() { return on_each(&Worker::stop_accepting); }

void WorkerGroup::interrupt_sessions() {
  for (const auto& worker : workers_) {
    worker->loop().post([worker = worker.get()] { worker->interrupt_sessions(); });
  }
}

net::Task<> WorkerGroup::stop() { return on_each(&Worker::stop); }

net::Task<> WorkerGroup::on_each(void (Worker::*work)(std::function<void()> done)) {
  busy_ = workers_.size();
  const auto done = [this] {
    loop_.post([this] {
      --busy_;
      done_.notify();
    });
  };
  for (const auto& worker : workers_) {
    worker->loop().post([worker = worker.get(), work, done] { (worker->*work)(done); });
  }
  while (busy_ > 0) {
    const Result<> woken = co_await done_.wait();
    if (!woken) break;
  }
}

}  // namespace sluice::sluiced
