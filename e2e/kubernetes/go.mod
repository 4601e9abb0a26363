module polardb-stack/e2e/kubernetes

go 1.26

godebug default=go1.24

require (
	k8s.io/kubernetes v1.34.4
	go.etcd.io/etcd/server/v3 v3.6.4
)

replace (

)
