package integration

import (
	"fmt"
	"os"
	"testing"
	"time"

	"burnfs/integration/harness"
)

// startOfTest is before anything that a test does.
var startOfTest = time.Now()

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		fmt.Fprintln(os.Stderr, "the writer ended:", writer(dir))
		return
	}
	os.Exit(harness.Main(m))
}
