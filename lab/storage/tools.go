//go:build tools

// The workstation's volumes are made by a whole upstream command: it is listed here only so that go.sum locks it.
package main

import _ "github.com/rancher/local-path-provisioner"
