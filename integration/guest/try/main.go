//go:build linux

// Command try boots a guest and runs a script in it.
//
//	go run ./integration/guest/try -- 'uname -a'
//	go run ./integration/guest/try -target 127.0.0.1:3260,iqn.2001-04.com.example:cd -- 'wodim dev=$SR -toc'
//
// The script finds the devices of the drive, if there is one, in $SR and $SG.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"burnfs/integration/guest"
)

func main() {
	code, err := try()
	if err != nil {
		fmt.Fprintln(os.Stderr, "try:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func try() (code int, err error) {
	share := flag.String("share", "", "`directory` that the guest may write to")
	target := flag.String("target", "", "an iSCSI target to attach, 127.0.0.1:`port,name`")
	timeout := flag.Duration("timeout", 10*time.Minute, "how long the script may take")
	dmesg := flag.Bool("dmesg", false, "print the kernel's log at the end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := guest.Options{Log: os.Stdout}
	if *share != "" {
		o.Share = []string{*share}
	}
	g, err := guest.Boot(ctx, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	fmt.Fprintf(os.Stderr, "booted in %v\n", g.BootTime().Round(time.Millisecond))
	if *dmesg {
		defer func() { fmt.Fprintln(os.Stderr, g.Dmesg(context.Background())) }()
	}
	script := strings.Join(flag.Args(), " ")
	if *target != "" {
		d, err := attach(ctx, g, *target)
		if err != nil {
			return 0, err
		}
		script = fmt.Sprintf("SR=%s SG=%s\n%s", d.SR, d.SG, script)
	}
	r, err := g.Run(ctx, script, *timeout)
	return r.Code, err
}

func attach(ctx context.Context, g *guest.Guest, target string) (guest.Drive, error) {
	address, iqn, _ := strings.Cut(target, ",")
	_, service, err := net.SplitHostPort(address)
	if err != nil {
		return guest.Drive{}, err
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		return guest.Drive{}, err
	}
	return g.Attach(ctx, port, iqn)
}
