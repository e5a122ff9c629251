output "bucket" {
  description = "The bucket's name, for terraform init -backend-config."
  value       = aws_s3_bucket.this.bucket
}
