//go:build linux

package main

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// network brings the loopback and the first other interface up. The host is a
// neighbour there, so no routes are needed.
func network(address string) error {
	prefix, err := netip.ParsePrefix(address)
	if err != nil {
		return err
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	if err := up(sock, "lo", netip.MustParsePrefix("127.0.0.1/8")); err != nil {
		return err
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback == 0 {
			return up(sock, i.Name, prefix)
		}
	}
	return fmt.Errorf("no network interface among %v", interfaces)
}

// up gives an interface its address and starts it, netdevice(7).
func up(sock int, name string, prefix netip.Prefix) error {
	mask := net.CIDRMask(prefix.Bits(), 32)
	for _, step := range []struct {
		request uint
		address []byte
	}{
		{unix.SIOCSIFADDR, prefix.Addr().AsSlice()},
		{unix.SIOCSIFNETMASK, mask},
	} {
		r, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		if err := r.SetInet4Addr(step.address); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(sock, step.request, r); err != nil {
			return fmt.Errorf("address of %s: %w", name, err)
		}
	}
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	return nil
}
