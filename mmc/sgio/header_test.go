package sgio

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
	"unsafe"
)

// layout is struct sg_io_hdr as C compilers lay it out.
var layout = []struct {
	field          string
	bits64, bits32 uintptr
}{
	{"interfaceID", 0, 0}, {"direction", 4, 4}, {"cmdLen", 8, 8}, {"maxSense", 9, 9}, {"iovecCount", 10, 10},
	{"dataLen", 12, 12}, {"data", 16, 16}, {"cmd", 24, 20}, {"sense", 32, 24}, {"timeout", 40, 28},
	{"flags", 44, 32}, {"packID", 48, 36}, {"usr", 56, 40}, {"status", 64, 44}, {"maskedStatus", 65, 45},
	{"msgStatus", 66, 46}, {"senseWritten", 67, 47}, {"host", 68, 48}, {"driver", 70, 50}, {"resid", 72, 52},
	{"duration", 76, 56}, {"info", 80, 60},
}

const size64, size32 = 88, 64

// TestHeaderHere compares the running program with the table.
func TestHeaderHere(t *testing.T) {
	var h header
	here := map[string]uintptr{
		"interfaceID": unsafe.Offsetof(h.interfaceID), "direction": unsafe.Offsetof(h.direction),
		"cmdLen": unsafe.Offsetof(h.cmdLen), "maxSense": unsafe.Offsetof(h.maxSense),
		"iovecCount": unsafe.Offsetof(h.iovecCount), "dataLen": unsafe.Offsetof(h.dataLen),
		"data": unsafe.Offsetof(h.data), "cmd": unsafe.Offsetof(h.cmd), "sense": unsafe.Offsetof(h.sense),
		"timeout": unsafe.Offsetof(h.timeout), "flags": unsafe.Offsetof(h.flags), "packID": unsafe.Offsetof(h.packID),
		"usr": unsafe.Offsetof(h.usr), "status": unsafe.Offsetof(h.status),
		"maskedStatus": unsafe.Offsetof(h.maskedStatus), "msgStatus": unsafe.Offsetof(h.msgStatus),
		"senseWritten": unsafe.Offsetof(h.senseWritten), "host": unsafe.Offsetof(h.host),
		"driver": unsafe.Offsetof(h.driver), "resid": unsafe.Offsetof(h.resid),
		"duration": unsafe.Offsetof(h.duration), "info": unsafe.Offsetof(h.info),
	}
	wide := unsafe.Sizeof(uintptr(0)) == 8
	for _, f := range layout {
		want := f.bits32
		if wide {
			want = f.bits64
		}
		if here[f.field] != want {
			t.Errorf("%s lies at %d instead of %d", f.field, here[f.field], want)
		}
	}
	want := uintptr(size32)
	if wide {
		want = size64
	}
	if unsafe.Sizeof(h) != want {
		t.Errorf("%d bytes instead of %d", unsafe.Sizeof(h), want)
	}
}

// TestHeaderEverywhere compares what the compiler does for other architectures.
func TestHeaderEverywhere(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "header.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for arch, wide := range map[string]bool{"amd64": true, "arm64": true, "riscv64": true, "386": false, "arm": false} {
		sizes := types.SizesFor("gc", arch)
		conf := types.Config{Sizes: sizes, Importer: importer.Default()}
		p, err := conf.Check("sgio", fset, []*ast.File{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		st := p.Scope().Lookup("header").Type().Underlying().(*types.Struct)
		if st.NumFields() != len(layout) {
			t.Fatalf("%d fields instead of %d", st.NumFields(), len(layout))
		}
		var fields []*types.Var
		for f := range st.Fields() {
			fields = append(fields, f)
		}
		for i, off := range sizes.Offsetsof(fields) {
			want := layout[i].bits32
			if wide {
				want = layout[i].bits64
			}
			if fields[i].Name() != layout[i].field || off != int64(want) {
				t.Errorf("%s: %s lies at %d, want %s at %d", arch, fields[i].Name(), off, layout[i].field, want)
			}
		}
		want := int64(size32)
		if wide {
			want = size64
		}
		if got := sizes.Sizeof(st); got != want {
			t.Errorf("%s: %d bytes instead of %d", arch, got, want)
		}
	}
}
