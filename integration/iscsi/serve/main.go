// Command serve presents disc files as iSCSI drives, so that a kernel elsewhere,
// such as one in a virtual machine, can be tried with them by hand:
//
//	go run ./integration/iscsi/serve [-listen ADDRESS] [-new MEDIA] FILE...
//
// It prints a line with the name of the target and its port for each file, and
// serves until it is interrupted. It obeys lines on standard input: "drop" cuts
// all connections, "restore" lets initiators come back.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"burnfs/integration/iscsi"
	"burnfs/mmc/emu"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3260", "`address` to listen on; port 0 chooses one")
	media := flag.String("new", "", "make files that do not exist as blank discs of this `kind`, such as cd-r")
	verbose := flag.Bool("v", false, "tell more of what happens")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: serve [-listen ADDRESS] [-new MEDIA] [-v] FILE...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, emu.Media(*media), flag.Args(), os.Stdin, os.Stdout, log); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// serve presents the discs until ctx ends.
func serve(ctx context.Context, addr string, media emu.Media, files []string, orders io.Reader, out io.Writer, log *slog.Logger) (err error) {
	target, err := iscsi.Listen(addr, log)
	if err != nil {
		return err
	}
	var drives []*emu.Drive
	defer func() {
		err = errors.Join(err, target.Close())
		for _, d := range drives {
			err = errors.Join(err, d.Close())
		}
	}()
	_, port, err := net.SplitHostPort(target.Addr().String())
	if err != nil {
		return err
	}
	for i, file := range files {
		if _, err := os.Stat(file); media != "" && errors.Is(err, fs.ErrNotExist) {
			if err := emu.Create(file, media, emu.CreateOptions{}); err != nil {
				return err
			}
		}
		d, err := emu.Open(file, emu.Options{Log: log})
		if err != nil {
			return err
		}
		drives = append(drives, d)
		iqn := fmt.Sprintf("iqn.2024-01.burnfs:disc%d", i)
		if err := target.Add(iqn, d); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s port %s %s %s\n", iqn, port, d.Medium(), file)
	}
	go obey(orders, out, target)
	<-ctx.Done()
	return nil
}

// obey does what lines say until they end, with the process at the latest.
func obey(orders io.Reader, out io.Writer, target *iscsi.Target) {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		switch order := strings.TrimSpace(lines.Text()); order {
		case "drop":
			target.Drop()
		case "restore":
			target.Restore()
		default:
			fmt.Fprintf(out, "%q is neither drop nor restore\n", order)
			continue
		}
		fmt.Fprintln(out, "done:", strings.TrimSpace(lines.Text()))
	}
}
