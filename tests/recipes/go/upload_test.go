package upload

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
)

const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

type task struct {
	TaskType string `json:"taskType"`
	TaskUUID string `json:"taskUUID"`
	Image    string `json:"image"`
}

type answer struct {
	Data []struct {
		ImageUUID string `json:"imageUUID"`
		ImageURL  string `json:"imageURL"`
	} `json:"data"`
}

// upload is your application.
func upload(taskUUID, image string) (*answer, error) {
	body, err := json.Marshal([]task{{"imageUpload", taskUUID, image}})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest("POST", os.Getenv("RUNWARE_BASE_URL"), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("RUNWARE_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the upload failed: %s", response.Status)
	}
	var parsed answer
	return &parsed, json.NewDecoder(response.Body).Decode(&parsed)
}

func TestAPictureComesBackAsItWas(t *testing.T) {
	uploaded, err := upload("50836053-a0ee-4cf5-b9d6-ae7c5d140ada", picture)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(uploaded.Data[0].ImageURL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	stored, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if base64.StdEncoding.EncodeToString(stored) != picture {
		t.Errorf("%s is another picture", uploaded.Data[0].ImageURL)
	}
}
