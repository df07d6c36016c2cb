# The node's components: how each is started, what tells that it answers, and how it is stopped. Sourced.

start() {  # start NAME: configurations and certificates are there; does not wait for it
  case $1 in
    etcd)
      local client=http://127.0.0.1:2379 peer=http://127.0.0.1:2380
      launch etcd etcd --name bed --data-dir "$STATE/etcd" --unsafe-no-fsync \
        --listen-client-urls "$client" --advertise-client-urls "$client" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "bed=$peer" ;;
    kube-apiserver)
      launch kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
        --secure-port=443 --bind-address=0.0.0.0 --advertise-address="$NODE_ADDRESS" \
        --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true \
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
        --client-ca-file="$PKI/ca.crt" \
        --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$PKI/accounts.pub" \
        --service-account-signing-key-file="$PKI/accounts.key" --kubelet-preferred-address-types=InternalIP \
        --kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key" \
        --kubelet-certificate-authority="$PKI/ca.crt" ;;
    kube-controller-manager)
      launch kube-controller-manager kube-controller-manager --kubeconfig="$STATE/controller-manager.kubeconfig" \
        --use-service-account-credentials=true --service-account-private-key-file="$PKI/accounts.key" \
        --root-ca-file="$PKI/ca.crt" --leader-elect=false --secure-port=0 ;;
    kube-scheduler)
      launch kube-scheduler kube-scheduler --kubeconfig="$STATE/scheduler.kubeconfig" \
        --leader-elect=false --secure-port=0 ;;
    containerd)
      launch containerd containerd --config "$STATE/containerd.toml" ;;
    kubelet)
      launch kubelet kubelet --config="$STATE/kubelet.yaml" --kubeconfig="$STATE/kubelet.kubeconfig" \
        --hostname-override="$NODE_NAME" --node-ip="$NODE_ADDRESS" ;;
    *) die "no component '$1'; there are etcd, containerd, kubelet and kube-{apiserver,controller-manager,scheduler}" ;;
  esac
}

launch() {  # launch NAME COMMAND…: in a session of its own, so that it outlives whoever launches it
  local name=$1; shift
  setsid "$@" >>"$STATE/log/$name.log" 2>&1 </dev/null &
  mkdir -p "$STATE/components"
  echo $! >"$STATE/components/$name"
}

answers() {  # answers NAME
  case $1 in
    etcd) curl -sf http://127.0.0.1:2379/health ;;
    kube-apiserver) kubectl get --raw /readyz ;;
    containerd) ctr --address "$CONTAINERD" version ;;
    kubelet) curl -sf http://127.0.0.1:10248/healthz ;;
  esac >/dev/null 2>&1
}

await() {  # await NAME SECONDS [COMMAND…]: until it answers, or until the command succeeds
  local name=$1 deadline=$((SECONDS + $2)); shift 2
  [ $# -gt 0 ] || set -- answers "$name"
  until "$@" >/dev/null 2>&1; do
    runs "$name" || start_again "$name" || failed "$name" "$name ended"
    [ $SECONDS -lt $deadline ] || failed "$name" "$name does not answer"
    sleep 0.1
  done
}

# The kubelet ends where the container runtime is not ready for it; on other nodes systemd starts it again.
start_again() { [ "$1" = kubelet ] && start kubelet; }

stop() {  # stop NAME [SIGNAL]: waits until nothing of it is left; a zombie's threads may still hold its port
  local pid; pid=$(<"$STATE/components/$1")
  ! runs "$1" || kill "-${2:-TERM}" "$pid"
  while [ -d "/proc/$pid" ]; do sleep 0.05; done
}

runs() { [ -n "$(start_time "$(<"$STATE/components/$1")")" ]; }

failed() {  # failed NAME MESSAGE
  tail -n 20 "$STATE/log/$1.log"
  die "$2"
}
