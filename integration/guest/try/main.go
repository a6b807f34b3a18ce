//go:build linux

// Command try boots a guest and runs a script in it.
//
//	go run ./integration/guest/try -- 'uname -a'
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"burnfs/integration/guest"
)

func main() {
	code, err := try()
	if err != nil {
		fmt.Fprintln(os.Stderr, "try:", err)
		code = 1
	}
	os.Exit(code)
}

func try() (code int, err error) {
	share := flag.String("share", "", "`directory` that the guest may write to")
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
	defer g.Close()
	fmt.Fprintf(os.Stderr, "booted in %v\n", g.BootTime().Round(time.Millisecond))
	r, err := g.Run(ctx, strings.Join(flag.Args(), " "), *timeout)
	if *dmesg {
		fmt.Fprintln(os.Stderr, g.Dmesg(ctx))
	}
	return r.Code, err
}
