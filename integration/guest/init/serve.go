//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"

	"burnfs/integration/guest/exchange"
)

// serve runs the host's scripts until it says PowerOff or is gone.
func serve(port io.ReadWriter) error {
	frames := make(chan exchange.Frame)
	ended := make(chan error, 1)
	go func() {
		for {
			f, err := exchange.Read(port)
			if err != nil {
				ended <- err
				return
			}
			frames <- f
		}
	}()
	if err := exchange.Write(port, exchange.Ready, nil); err != nil {
		return err
	}
	for {
		select {
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case f := <-frames:
			switch f.Kind {
			case exchange.PowerOff:
				return nil
			case exchange.Kill:
				// It came when the script had just ended.
			case exchange.Run:
				if err := runFrame(port, f.Payload, frames, ended); err != nil {
					return err
				}
			default:
				return fmt.Errorf("unexpected frame %d", f.Kind)
			}
		}
	}
}

// runFrame runs one script and reports its end.
func runFrame(port io.Writer, payload []byte, frames <-chan exchange.Frame, ended chan error) error {
	limit, text, err := exchange.ParseRun(payload)
	if err != nil {
		return err
	}
	s, err := start(text, limit, func(p []byte) error { return exchange.Write(port, exchange.Output, p) })
	if err != nil {
		if err := exchange.Write(port, exchange.Output, fmt.Appendf(nil, "start the script: %v\n", err)); err != nil {
			return err
		}
		return exchange.Write(port, exchange.Exit, exchange.ExitPayload(127, false))
	}
	for {
		select {
		case code := <-s.done:
			return exchange.Write(port, exchange.Exit, exchange.ExitPayload(code, s.timedOut))
		case <-s.late:
			s.timedOut = true
			s.kill()
		case f := <-frames:
			if f.Kind != exchange.Kill {
				return fmt.Errorf("unexpected frame %d while a script runs", f.Kind)
			}
			s.timedOut = true
			s.kill()
		case err := <-ended:
			s.kill()
			ended <- err
			return nil
		}
	}
}
