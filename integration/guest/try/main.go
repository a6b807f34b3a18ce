//go:build linux

// Command try boots a guest (package guest), gives it a drive and runs a
// script there:
//
//	go run ./integration/guest/try -- 'uname -a'
//	go run ./integration/guest/try -disc /tmp/disc.img -new dvd+r -- 'dvd+rw-mediainfo $SR'
//	go run ./integration/guest/try -disc a.img -trace -share /tmp/x -- 'wodim dev=$SR -v -multi /tmp/x/session.iso'
//	go run ./integration/guest/try -target 127.0.0.1:3260,iqn.2001-04.com.example:cd -- 'wodim dev=$SR -toc'
//
// The script is run by bash as root, in /. It finds the devices of the drive in
// $SR and $SG, and every file of the host where that has it; what it changes is
// gone afterwards, except on the disc and below the shared directory. The
// kernel sees what was burned after "probe", which makes it look at the medium
// anew; the devices' names stay as long as nobody has them open.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"burnfs/integration/guest"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
)

// request is what the command line asks for.
type request struct {
	disc, media, fault, target, share string
	trace, dmesg                      bool
	timeout                           time.Duration
	script                            string
}

func main() {
	var r request
	flag.StringVar(&r.disc, "disc", "", "disc `file` to put into the drive")
	flag.StringVar(&r.media, "new", "", "make the disc, if it does not exist, as a blank `kind` such as dvd+r")
	flag.StringVar(&r.fault, "fault", "", "fault plan `file` for the drive")
	flag.StringVar(&r.target, "target", "", "another iSCSI target to attach, as 127.0.0.1:`port,name`")
	flag.StringVar(&r.share, "share", "", "`directory` that the guest may write to")
	flag.BoolVar(&r.trace, "trace", false, "list the commands that the drive got")
	flag.BoolVar(&r.dmesg, "dmesg", false, "print the kernel's log at the end")
	flag.DurationVar(&r.timeout, "timeout", 10*time.Minute, "how long the script may take")
	flag.Parse()
	r.script = strings.Join(flag.Args(), " ")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := r.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "try:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func (r *request) run(ctx context.Context) (code int, err error) {
	o := guest.Options{Log: os.Stdout}
	if r.share != "" {
		dir, err := filepath.Abs(r.share)
		if err != nil {
			return 0, err
		}
		o.Share = []string{dir}
	}
	g, err := guest.Boot(ctx, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	fmt.Fprintf(os.Stderr, "booted in %v\n", g.BootTime().Round(time.Millisecond))
	if r.dmesg {
		defer func() { fmt.Fprintln(os.Stderr, g.Dmesg(context.Background())) }()
	}

	var d guest.Drive
	switch {
	case r.disc != "":
		drive, err := r.open()
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, drive.Close()) }()
		p, err := g.Play(ctx, drive, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, p.Close(context.Background())) }()
		if r.trace {
			defer func() { fmt.Fprint(os.Stderr, p.Trace) }()
		}
		d = p.Drive
	case r.target != "":
		if d, err = attach(ctx, g, r.target); err != nil {
			return 0, err
		}
	}
	result, err := g.Run(ctx, scriptFor(d)+r.script, r.timeout)
	return result.Code, err
}

// scriptFor is what the script finds defined.
func scriptFor(d guest.Drive) string {
	if d.SR == "" {
		return ""
	}
	return fmt.Sprintf("SR=%s SG=%s\nprobe() { %s\n}\n", d.SR, d.SG, d.ProbeScript())
}

// open puts the disc into a drive, which follows the fault plan if there is one.
func (r *request) open() (mmc.Transport, error) {
	if _, err := os.Stat(r.disc); r.media != "" && errors.Is(err, fs.ErrNotExist) {
		media, err := emu.ParseMedia(r.media)
		if err != nil {
			return nil, err
		}
		if err := emu.Create(r.disc, media, emu.CreateOptions{}); err != nil {
			return nil, err
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if r.fault == "" {
		return emu.Open(r.disc, emu.Options{Log: log})
	}
	f, err := os.Open(r.fault)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plan, err := faulty.ParsePlan(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.fault, err)
	}
	drive, err := emu.Open(r.disc, emu.Options{Log: log, Timing: plan.Timing(), LosesPower: plan.CutsPower()})
	if err != nil {
		return nil, err
	}
	return plan.Wrap(drive, log), nil
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
