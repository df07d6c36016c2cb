// A kubelet that has just started knows none of its pods for a second or two, and answers 404 for
// all of them. The pod's record tells that from a pod that is gone.
// Source: kubernetes/kubernetes pkg/kubelet/server/server.go ("pod does not exist").
#pragma once

#include "backend/kubernetes/cache/pod_watch.h"
#include "net/timers.h"

namespace sluice::backend::kubernetes {

/// For so long a node may deny a pod that it has.
constexpr nanoseconds kNodeStart = seconds(5);

/// Whether it may be the node that said so, of a pod that lives.
bool may_be_starting(const Error& refusal, const PodWatch& pod);

/// After a refusal: completes when it is worth asking again. Errors: the refusal, where it is
/// nothing of the kind; Unavailable, at `deadline`; Cancelled.
net::Task<Result<>> await_node(Error refusal, PodWatch& pod, net::Timers& timers,
                               MonotonicTime deadline);

}  // namespace sluice::backend::kubernetes
