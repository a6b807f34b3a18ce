//go:build linux

package guest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeModule makes a file that looks like a kernel module as far as its
// section .modinfo goes.
func writeModule(t *testing.T, file, info string) {
	t.Helper()
	const names = "\x00.modinfo\x00.shstrtab\x00"
	const headers = 64 // what comes behind the file's header
	data := headers + 3*64
	var b bytes.Buffer
	for _, part := range []any{
		elf.Header64{
			Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
			Shoff: headers, Ehsize: 64, Shentsize: 64, Shnum: 3, Shstrndx: 2,
		},
		elf.Section64{},
		elf.Section64{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: uint64(data), Size: uint64(len(info))},
		elf.Section64{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: uint64(data + len(info)), Size: uint64(len(names))},
		[]byte(info), []byte(names),
	} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestModulesComeBehindWhatTheyNeed(t *testing.T) {
	k := &kernel{modules: t.TempDir()}
	for file, info := range map[string]string{
		"drivers/scsi/sr_mod.ko":      "license=GPL\x00depends=cdrom,scsi_mod\x00name=sr_mod\x00",
		"drivers/scsi/scsi_mod.ko":    "depends=scsi-common\x00",
		"drivers/scsi/scsi-common.ko": "depends=\x00",
		"drivers/cdrom/cdrom.ko":      "license=GPL\x00",
		"drivers/scsi/sg.ko":          "depends=scsi_mod\x00",
		"fs/bad.ko":                   "depends=missing\x00",
	} {
		writeModule(t, filepath.Join(k.modules, "kernel", file), info)
	}
	if err := os.WriteFile(filepath.Join(k.modules, "modules.builtin"), []byte("kernel/fs/ext-2.ko\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ reason, names, want string }{
		{"shared needs are met once", "sg sr_mod", "scsi-common scsi_mod sg cdrom sr_mod"},
		{"a module that was wanted already", "sr_mod sg scsi_common", "cdrom scsi-common scsi_mod sr_mod sg"},
		{"built in", "ext-2 ext_2 cdrom", "cdrom"},
		{"there is no such module", "cdrom nosuch", "error"},
		{"a need that there is not", "bad", "error"},
	} {
		files, err := k.moduleFiles(strings.Fields(test.names))
		var got []string
		for _, file := range files {
			got = append(got, strings.TrimSuffix(filepath.Base(file), ".ko"))
		}
		if err != nil {
			got = []string{"error"}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, %v", test.reason, got, err)
		}
	}
}
