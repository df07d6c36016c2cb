# The node's certificates, and the configuration files of its components. Sourced by `node`.
PKI=$STATE/pki

make_certificates() {
  mkdir -p "$PKI"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=bed \
    -keyout "$PKI/ca.key" -out "$PKI/ca.crt" 2>/dev/null
  openssl genrsa -out "$PKI/accounts.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/accounts.key" -pubout -out "$PKI/accounts.pub" 2>/dev/null

  local addresses="IP:127.0.0.1,IP:$NODE_ADDRESS,DNS:localhost"
  local service=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
  certificate apiserver /CN=kube-apiserver "$addresses,IP:$SERVICE_ADDRESS,$service"
  certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" "$addresses,DNS:$NODE_NAME"
  certificate admin /O=system:masters/CN=admin
  certificate controller-manager /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler

  local user
  for user in admin kubelet controller-manager scheduler; do
    write_kubeconfig "$user" "client-certificate: $PKI/$user.crt" "client-key: $PKI/$user.key" \
      >"$STATE/$user.kubeconfig"
  done
}

certificate() {  # certificate NAME SUBJECT [ALTERNATIVE-NAMES]
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$2" \
    -keyout "$PKI/$1.key" -out "$PKI/$1.csr" 2>/dev/null
  openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 3650 \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "${3:+subjectAltName=$3}") \
    -out "$PKI/$1.crt" 2>/dev/null
}

# restrict_oom_score_adj: runc fails where CAP_SYS_RESOURCE is missing and a lower score is asked for.
write_containerd_config() {  # write_containerd_config SNAPSHOTTER
  cat <<END
version = 2
root = "$STATE/containerd"
state = "/run/containerd"
[grpc]
  address = "$CONTAINERD"
[plugins."io.containerd.internal.v1.opt"]
  path = "$STATE/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "bed.local/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni/config"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$1"
END
}

write_cni_config() {
  cat <<END
{
  "cniVersion": "0.4.0",
  "name": "bed",
  "plugins": [{
    "type": "bridge",
    "bridge": "bed0",
    "isGateway": true,
    "ipam": {
      "type": "host-local",
      "dataDir": "$STATE/cni/addresses",
      "ranges": [[{"subnet": "10.244.0.0/24"}]],
      "routes": [{"dst": "0.0.0.0/0"}]
    }
  }]
}
END
}

# The node limits nothing: it shares its machine with the tests.
write_kubelet_config() {
  cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_ADDRESS
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
authentication:
  anonymous: {enabled: false}
  x509: {clientCAFile: $PKI/ca.crt}
  webhook: {enabled: true}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$CONTAINERD
volumePluginDir: $STATE/kubelet/volume-plugins
resolvConf: ""
nodeStatusUpdateFrequency: 5s
cgroupDriver: cgroupfs
cgroupRoot: /$(cgroup_name)
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi}
containerLogMaxSize: ${SLUICE_BED_LOG_SIZE:-10Mi}
containerLogMaxFiles: ${SLUICE_BED_LOG_FILES:-5}
containerLogMonitorInterval: ${SLUICE_BED_LOG_CHECK:-3s}
END
}
