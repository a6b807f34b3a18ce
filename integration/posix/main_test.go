package posix

import (
	"os"
	"testing"

	"burnfs/integration/harness"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(child(spec))
	}
	os.Exit(harness.Main(m))
}
