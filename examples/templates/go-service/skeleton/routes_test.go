package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	cases := []struct {
		name, method, path string
		status             int
		body               string
	}{
		{"it is healthy", "GET", "/healthz", http.StatusOK, `{"status":"ok"}`},
		{"it greets by name", "GET", "/hello?name=Ada", http.StatusOK, `{"message":"Hello, Ada."}`},
		{"it does not know everything", "GET", "/nothing", http.StatusNotFound, ""},
		{"it takes no POST", "POST", "/hello", http.StatusMethodNotAllowed, ""},
	}
	handler := logged(routes())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(c.method, c.path, nil))
			if answer.Code != c.status {
				t.Errorf("status %d, want %d", answer.Code, c.status)
			}
			if c.body != "" && strings.TrimSpace(answer.Body.String()) != c.body {
				t.Errorf("body %s, want %s", answer.Body, c.body)
			}
		})
	}
}
