package iscsi

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"burnfs/mmc/emu"
)

// listenTCP serves a blank disc that can be written in any order, for programs of
// other people.
func listenTCP(t *testing.T) (target *Target, portal string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disc")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	d, err := emu.Open(path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target, err = Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := target.Add(testName, d); err != nil {
		t.Fatal(err)
	}
	return target, "iscsi://" + target.Addr().String()
}

func program(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err
}

// TestLibiscsi lets the programs of libiscsi look at the drive.
func TestLibiscsi(t *testing.T) {
	_, portal := listenTCP(t)
	unit := portal + "/" + testName + "/0"
	for _, row := range []struct {
		reason string
		args   []string
		want   []string
	}{
		{"discovery", []string{"iscsi-ls", portal}, []string{"Target:" + testName, "Portal:127.0.0.1:"}},
		{"identity", []string{"iscsi-inq", unit}, []string{"Device Type:MMC", "Removable:1", "Vendor:BURNFS", "Version:5 "}},
		{"VPD pages", []string{"iscsi-inq", "-e", "1", "-c", "0", unit}, []string{"Page:0x00", "Page:0x80", "Page:0x83"}},
		{"identification", []string{"iscsi-inq", "-e", "1", "-c", "131", unit}, []string{
			"Designator:[" + testName + "]", "Designator:[BURNFS  " + testName + "]", "Designator Type:(3) NAA"}},
	} {
		out, err := program(t, row.args[0], row.args[1:]...)
		if err != nil {
			t.Errorf("%s: %v\n%s", row.reason, err, out)
		}
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", row.reason, want, out)
			}
		}
	}
	if out, err := program(t, "iscsi-inq", portal+"/"+testName+".none/0"); err == nil || !strings.Contains(out, "Target not found") {
		t.Errorf("a target that there is not: %v\n%s", err, out)
	}
}

// TestLibiscsiConformance runs the tests of libiscsi's test suite that make sense
// for an optical drive. Not among them are those for disks, and Read10Invalid,
// which wants a READ that is announced as a write to succeed.
func TestLibiscsiConformance(t *testing.T) {
	_, portal := listenTCP(t)
	unit := portal + "/" + testName + "/0"
	if out, err := program(t, "iscsi-inq", unit); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The row of CUnit's summary: total, ran, passed, failed.
	summary := regexp.MustCompile(`(?m)^ +tests +(\d+) +(\d+) +(\d+) +(\d+)`)
	for _, name := range []string{
		"iSCSIcmdsn", "iSCSIdatasn", "iSCSITMF", "Inquiry", "TestUnitReady", "PreventAllow", "MultipathIO",
		"iSCSIResiduals.Read10Residuals", "iSCSIResiduals.Read12Residuals",
		"iSCSIResiduals.Write10Residuals", "iSCSIResiduals.Write12Residuals",
		"Read10.Simple", "Read10.BeyondEol", "Read10.Async", "Read12.Simple", "Write10.Simple", "Write10.Async",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := program(t, "iscsi-test-cu", "--dataloss", "--normal", "--Verbose-scsi", "--test=ALL."+name, unit)
			n := summary.FindStringSubmatch(out)
			if err != nil || n == nil || n[1] == "0" || n[2] != n[1] || n[3] != n[1] {
				t.Errorf("%v: total, ran, passed, failed: %v\n%s", err, n, out)
			}
		})
	}
}
