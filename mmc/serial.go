package mmc

import (
	"context"
	"errors"
	"strings"
)

// pageSerialNumber is the Unit Serial Number page of the vital product data
// (SPC-3 7.6.10).
const pageSerialNumber = 0x80

const serialAlloc = 252

// SerialNumber asks for the number that tells a drive from others of its model:
// feature 0108h (MMC-5 5.3), else vital product data page 80h (SPC-3 7.6.10).
// It is empty if the drive has none.
func (d *Drive) SerialNumber(ctx context.Context) (string, error) {
	conf, err := d.GetConfiguration(ctx, OneFeature, FeatureSerialNumber)
	if err != nil && !errors.Is(err, ErrIllegalRequest) {
		return "", err
	}
	for _, f := range conf.Features() {
		if f.Code() == FeatureSerialNumber {
			if s := printable(f.Data()); s != "" {
				return s, nil
			}
		}
	}
	s, err := query(ctx, d, cdbInquiryPage(pageSerialNumber, serialAlloc), make([]byte, serialAlloc), parseSerialNumber)
	if errors.Is(err, ErrIllegalRequest) {
		return "", nil
	}
	return s, err
}

// parseSerialNumber reads vital product data page 80h:
//
//	 0            1          2 3          4…
//	┌────────────┬──────────┬────────────┬───────────────┐
//	│device type │page (80h)│ page length│ serial number │
//	└────────────┴──────────┴────────────┴───────────────┘
//
// An old drive that does not look at EVPD returns its standard data instead, whose
// second byte, the RMB bit, is the number of the page; its version and format make
// an impossible length. There is no number then.
func parseSerialNumber(b []byte) (string, error) {
	if len(b) < 4 || b[1] != pageSerialNumber {
		return "", nil
	}
	n := 4 + int(u16(b, 2))
	if n > serialAlloc {
		return "", nil
	}
	return printable(b[4:min(n, len(b))]), nil
}

// printable returns printable ASCII only, without padding: names end up on
// terminals.
func printable(b []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, string(b)))
}
