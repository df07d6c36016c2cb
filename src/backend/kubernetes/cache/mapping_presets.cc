#include "backend/kubernetes/cache/mapping_presets.h"

namespace sluice::backend::kubernetes {
namespace {

/// Clusters with Run:ai: its own objects, and its names of namespaces.
constexpr std::string_view kRunai = R"(
namespaces: {label: runai/queue, prefix: runai-}
owners:
  - {group: batch, kind: Job}
  - {group: apps, kind: ReplicaSet}
  - {group: apps, kind: StatefulSet}
  - {group: apps, kind: Deployment}
defaultPod:
  - {runai/pod-index: 0-0}
  - {training.kubeflow.org/job-role: master}
  - {training.kubeflow.org/job-role: launcher}
  - {training.kubeflow.org/replica-index: "0"}
workloads:
  - type: workspace
    framework: runai
    resource: {group: run.ai, kind: InteractiveWorkload}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: &pods
      - label: {run.ai/top-owner-uid: metadata.uid}
      - label: {workloadName: metadata.name, workloadKind: kind}
      - ownedBy: metadata.uid
  - type: training
    framework: runai
    resource: {group: run.ai, kind: TrainingWorkload}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: distributed
    framework: pytorch
    resource: {group: run.ai, kind: DistributedWorkload}
    where: {spec.jobType: PyTorchJob}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: distributed
    framework: tf
    resource: {group: run.ai, kind: DistributedWorkload}
    where: {spec.jobType: TFJob}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: distributed
    framework: mpi
    resource: {group: run.ai, kind: DistributedWorkload}
    where: {spec.jobType: MPIJob}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: distributed
    framework: xgboost
    resource: {group: run.ai, kind: DistributedWorkload}
    where: {spec.jobType: XGBoostJob}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: distributed
    framework: jax
    resource: {group: run.ai, kind: DistributedWorkload}
    where: {spec.jobType: JAXJob}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: inference
    framework: runai
    resource: {group: run.ai, kind: InferenceWorkload}
    unless: {spec.usage: Template}
    names: [metadata.name, spec.name.value]
    phase: status.phase
    message: status.phaseMessage
    pods: *pods
  - type: external
    framework: external
    resource: {group: run.ai, kind: ExternalWorkload}
    names: [metadata.name]
    phase: status.observedStatus.phase
    message: status.observedStatus.message
    pods:
      - label: {run.ai/top-owner-uid: spec.originalWorkloadUID}
      - ownedBy: spec.originalWorkloadUID
      - uidIn: status.childIds
)";

/// Clusters without Run:ai: what Kubernetes itself and Kubeflow have.
constexpr std::string_view kKubernetes = R"(
namespaces: {label: runai/queue, prefix: runai-, ownName: true}
owners:
  - {group: apps, kind: ReplicaSet}
  - {group: batch, kind: Job}
defaultPod:
  - {training.kubeflow.org/job-role: master}
  - {training.kubeflow.org/job-role: launcher}
  - {training.kubeflow.org/replica-index: "0"}
  - {apps.kubernetes.io/pod-index: "0"}
  - {batch.kubernetes.io/job-completion-index: "0"}
workloads:
  - type: workspace
    framework: runai
    resource: {group: apps, kind: StatefulSet}
    pods: &owned [{ownedBy: metadata.uid}]
  - type: workspace
    framework: runai
    resource: {group: apps, kind: Deployment}
    pods: *owned
  - type: training
    framework: runai
    resource: {group: batch, kind: Job}
    pods: *owned
  - type: distributed
    framework: pytorch
    resource: {group: kubeflow.org, kind: PyTorchJob}
    pods: *owned
    optional: true
  - type: distributed
    framework: tf
    resource: {group: kubeflow.org, kind: TFJob}
    pods: *owned
    optional: true
  - type: distributed
    framework: mpi
    resource: {group: kubeflow.org, kind: MPIJob}
    pods: *owned
    optional: true
  - type: distributed
    framework: xgboost
    resource: {group: kubeflow.org, kind: XGBoostJob}
    pods: *owned
    optional: true
  - type: distributed
    framework: jax
    resource: {group: kubeflow.org, kind: JAXJob}
    pods: *owned
    optional: true
  - type: inference
    framework: runai
    resource: {group: apps, kind: Deployment}
    pods: *owned
  - type: inference
    framework: runai
    resource: {group: serving.knative.dev, kind: Service}
    pods:
      - label: {serving.knative.dev/service: metadata.name}
    optional: true
  - type: inference
    framework: runai
    resource: {group: serving.kserve.io, kind: InferenceService}
    pods:
      - label: {serving.kserve.io/inferenceservice: metadata.name}
    optional: true
  - type: external
    framework: external
    resource:
      - {group: kubeflow.org, kind: PyTorchJob}
      - {group: kubeflow.org, kind: TFJob}
      - {group: kubeflow.org, kind: MPIJob}
      - {group: kubeflow.org, kind: XGBoostJob}
      - {group: kubeflow.org, kind: JAXJob}
      - {group: leaderworkerset.x-k8s.io, kind: LeaderWorkerSet}
      - {group: jobset.x-k8s.io, kind: JobSet}
      - {group: ray.io, kind: RayCluster}
      - {group: ray.io, kind: RayJob}
      - {group: ray.io, kind: RayService}
      - {group: batch, kind: Job}
      - {group: batch, kind: CronJob}
      - {group: apps, kind: Deployment}
      - {group: apps, kind: StatefulSet}
      - {group: apps, kind: DaemonSet}
    names: ["ew-{kind}-{metadata.name}"]
    pods: *owned
    optional: true
)";

}  // namespace

std::optional<std::string_view> mapping_preset(std::string_view name) {
  if (name == "runai") return kRunai;
  if (name == "kubernetes") return kKubernetes;
  return std::nullopt;
}

}  // namespace sluice::backend::kubernetes
