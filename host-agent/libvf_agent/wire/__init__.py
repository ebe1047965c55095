"""The kubelet's protocols, compiled from host-agent/proto by `host-agent/proto/renew`."""
