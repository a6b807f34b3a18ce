// Package kernel holds the tests that need a real Linux kernel between burnfs,
// other people's programs and a drive: one file for each scenario. They run in
// a virtual machine (package guest), which takes minutes, so they have the
// build tag kernel:
//
//	make test-kernel
//	make test-kernel ARGS='-run TestGuest -v'
//
// What the guest's kernel has to say about a failed test is in its log.
package kernel
