"""The demo's guest: a kernel and busybox that draw a word on the framebuffer of the VM's GPU."""
