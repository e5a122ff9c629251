output "task_definitions" {
  description = "By service: the task definition of this release, with its revision."
  value       = { for name, service in module.service : name => service.task_definition_arn }
}

output "alarm_topic_arn" {
  description = "The topic of the alarms."
  value       = module.alarms.topic_arn
}

output "images" {
  description = "By service: the image of this release."
  value       = { for name, image in var.images : name => image.reference }
}
